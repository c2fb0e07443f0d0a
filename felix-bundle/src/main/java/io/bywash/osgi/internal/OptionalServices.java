package io.bywash.osgi.internal;

import io.bywash.osgi.internal.queue.RegistryCalls;
import java.util.ArrayList;
import java.util.List;
import org.osgi.framework.BundleContext;

/**
 * Services that others provide, and without which less is possible. Whoever looks for one asks the hooks of other
 * bundles; so this is a call for the registry's thread.
 */
final class OptionalServices extends RegistryCalls.Call {
  /** Their types, what is not possible without them, a bundle that has them. */
  private static final String[][] OPTIONAL = {
      {"org.osgi.service.cm.ConfigurationAdmin", "configurations are not read", "org.apache.felix.configadmin"},
      {"org.osgi.service.log.LoggerFactory", "messages go to the system's log", "org.apache.felix.log"}};

  private final BundleContext context;
  private volatile List<String> missing = List.of();

  OptionalServices(BundleContext context) {
    this.context = context;
  }

  /** What was missing at the last call, in words. */
  List<String> missing() {
    return missing;
  }

  /** What is missing now, in words. */
  List<String> findMissing() {
    List<String> found = new ArrayList<>();
    for (String[] optional : OPTIONAL) {
      if (context.getServiceReference(optional[0]) == null) {
        found.add("There is no " + optional[0].substring(optional[0].lastIndexOf('.') + 1) + " service: "
            + optional[1] + ". Install " + optional[2] + ".");
      }
    }
    return found;
  }

  @Override
  protected void run() {
    missing = findMissing();
  }

  @Override
  public String toString() {
    return "The search for optional services";
  }
}
