package io.bywash.samples.containers;

import io.bywash.engine.SegmentSpec;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.RequireBywash;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;

/** In the exchange: has the segment built, by a service that describes it. */
@RequireBywash
@Component(service = {}, immediate = true, configurationPid = Market.EXCHANGE,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Floor {
  private final ServiceRegistration<SegmentSpec> built;

  /** Called by Declarative Services. */
  @Activate
  public Floor(BundleContext context, Map<String, Object> configuration) {
    built = context.registerService(SegmentSpec.class, Market.SPEC,
        FrameworkUtil.asDictionary(Map.of(BywashConstants.SEGMENT, configuration.get(BywashConstants.SEGMENT))));
  }

  @Deactivate
  void stop() {
    built.unregister();
  }
}
