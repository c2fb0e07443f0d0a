package io.bywash.osgi.it.bundle;

import io.bywash.osgi.QueueListener;
import java.util.concurrent.atomic.AtomicInteger;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceRegistration;

/** Hangs in what the framework calls: at the registration of a service, or when its own one is fetched. */
public final class HangingForeigner implements ServiceListener, ServiceFactory<QueueListener> {
  private final Runnable hang;
  private final AtomicInteger fetched;
  private final Object listener;

  public HangingForeigner(Runnable hang, AtomicInteger fetched, Object listener) {
    this.hang = hang;
    this.fetched = fetched;
    this.listener = listener;
  }

  @Override
  public void serviceChanged(ServiceEvent event) {
    if (event.getType() == ServiceEvent.REGISTERED) {
      hang.run();
    }
  }

  @Override
  public QueueListener getService(Bundle bundle, ServiceRegistration<QueueListener> registration) {
    fetched.incrementAndGet();
    hang.run();
    return (QueueListener) listener;
  }

  @Override
  public void ungetService(Bundle bundle, ServiceRegistration<QueueListener> registration, QueueListener service) {
    // nothing to do
  }
}
