package io.bywash.osgi;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Temporary: keeps the module building until its first real component is here. */
@Component(service = Placeholder.class)
@Designate(ocd = Placeholder.Config.class)
public final class Placeholder {
  private final String greeting;

  /** The configuration. */
  @ObjectClassDefinition(name = "Bywash placeholder")
  public @interface Config {
    /** What {@link #greeting()} returns. */
    String greeting() default "hello";
  }

  /** Called by Declarative Services. */
  @Activate
  public Placeholder(Config config) {
    greeting = config.greeting();
  }

  /** The configured greeting. */
  public String greeting() {
    return greeting;
  }
}
