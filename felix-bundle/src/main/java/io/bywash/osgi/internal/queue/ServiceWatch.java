package io.bywash.osgi.internal.queue;

import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;

/**
 * Tells of services that come, change and go, in the thread that has them do so, without fetching one. A service may be
 * told of twice when this is opened, and after it has gone it may be told again that it has.
 */
public final class ServiceWatch implements ServiceListener, AutoCloseable {
  private final BundleContext context;
  private final String filter;
  private final Consumer<ServiceReference<?>> added;
  private final Consumer<ServiceReference<?>> changed;
  private final Consumer<ServiceReference<?>> removed;

  /** Not open yet. */
  public ServiceWatch(BundleContext context, String filter, Consumer<ServiceReference<?>> added,
      Consumer<ServiceReference<?>> changed, Consumer<ServiceReference<?>> removed) {
    this.context = context;
    this.filter = filter;
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
        added.accept(reference);
        if (reference.getBundle() == null) { // it went meanwhile
          removed.accept(reference);
        }
      }
    } catch (InvalidSyntaxException wrong) {
      throw new IllegalArgumentException("filter=" + filter + " is none", wrong);
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
