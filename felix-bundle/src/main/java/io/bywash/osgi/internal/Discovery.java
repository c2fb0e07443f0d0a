package io.bywash.osgi.internal;

import io.bywash.osgi.BywashConstants;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Watches the directory of one configuration, or the standard one when there is none: each with a generation anew. */
@Component(service = {}, immediate = true, configurationPid = BywashConstants.DISCOVERY_PID,
    configurationPolicy = ConfigurationPolicy.OPTIONAL)
@Designate(ocd = Discovery.Config.class, factory = true)
public final class Discovery {
  private static final long RETRY_SECONDS = 1;

  private final Whiteboard whiteboard;
  private String directory;
  private BusWatcher watcher;
  private boolean stopped;

  /** Where to look for queues. */
  @ObjectClassDefinition(name = "Bywash discovery", description = "Makes a service of every queue in a bus directory.")
  @interface Config {
    /** See {@link BywashConstants#DIRECTORY}. */
    @AttributeDefinition(name = "Bus directory", required = false,
        description = "The directory of the segments. Empty for the standard one: $BYWASH_DIR, else below /dev/shm.")
    String bywash_directory() default "";

    /** A hint for those who name configurations. */
    @AttributeDefinition(name = "Name hint", required = false)
    String webconsole_configurationFactory_nameHint() default "{bywash.directory}";
  }

  /** Called by Declarative Services. */
  @Activate
  public Discovery(@Reference Whiteboard whiteboard, Map<String, Object> properties) {
    this.whiteboard = whiteboard;
    watch(properties);
  }

  @Modified
  synchronized void modified(Map<String, Object> properties) {
    if (!directory(properties).equals(directory)) {
      whiteboard.remove(watcher);
      watch(properties);
    }
  }

  private static String directory(Map<String, Object> properties) {
    return Objects.toString(properties.get(BywashConstants.DIRECTORY), "").strip();
  }

  private synchronized void watch(Map<String, Object> properties) {
    directory = directory(properties);
    watcher = whiteboard.add(Objects.toString(properties.get(Constants.SERVICE_PID), BywashConstants.DISCOVERY_PID),
        directory);
    start();
  }

  private synchronized void start() {
    if (!stopped && !whiteboard.start(watcher)) {
      CompletableFuture.delayedExecutor(RETRY_SECONDS, TimeUnit.SECONDS).execute(this::start);
    }
  }

  @Deactivate
  synchronized void stop() {
    stopped = true;
    whiteboard.remove(watcher);
  }
}
