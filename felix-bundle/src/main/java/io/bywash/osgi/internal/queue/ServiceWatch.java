package io.bywash.osgi.internal.queue;

import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;

/**
 * Tells of services that come, change and go, in the thread that has them do so, without fetching one. A service may be
 * told of twice when this is opened. After it has gone it may be told of again: as gone, or, while it went, as added.
 */
public final class ServiceWatch implements ServiceListener, AutoCloseable {
  private final BundleContext context;
  private final String filter;
  private final Log log;
  private final Consumer<ServiceReference<?>> added;
  private final Consumer<ServiceReference<?>> changed;
  private final Consumer<ServiceReference<?>> removed;

  /** Not open yet. */
  public ServiceWatch(BundleContext context, String filter, Log log, Consumer<ServiceReference<?>> added,
      Consumer<ServiceReference<?>> changed, Consumer<ServiceReference<?>> removed) {
    this.context = context;
    this.filter = filter;
    this.log = log;
    this.added = added;
    this.changed = changed;
    this.removed = removed;
  }

  /** Tells of those that are there, and of what happens from now on. */
  public void open() {
    try {
      context.addServiceListener(this, filter);
      ServiceReference<?>[] present = context.getServiceReferences((String) null, filter);
      for (ServiceReference<?> reference : present == null ? new ServiceReference<?>[0] : present) {
        open(reference);
      }
    } catch (InvalidSyntaxException wrong) {
      throw new IllegalArgumentException("filter=" + filter + " is none", wrong);
    }
  }

  private void open(ServiceReference<?> reference) {
    try {
      added.accept(reference);
    } catch (Throwable failed) { // nor does the framework let one of those that come later stop the others
      log.error("Service {} is not used.", reference.getProperty(Constants.SERVICE_ID), failed);
    }
  }

  @Override
  public void serviceChanged(ServiceEvent event) {
    switch (event.getType()) {
      case ServiceEvent.REGISTERED -> added.accept(event.getServiceReference());
      case ServiceEvent.MODIFIED -> {
        added.accept(event.getServiceReference()); // its properties may not have matched before
        changed.accept(event.getServiceReference());
      }
      default -> removed.accept(event.getServiceReference());
    }
  }

  @Override
  public void close() {
    context.removeServiceListener(this);
  }
}
