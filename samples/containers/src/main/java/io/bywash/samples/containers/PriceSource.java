package io.bywash.samples.containers;

import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.osgi.BroadcastService;
import java.util.concurrent.locks.LockSupport;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * In the exchange: publishes a thousand prices a second, in the topic that it finds as a service, as soon as the desk
 * and the plain JVM read it.
 */
@Component(service = {}, immediate = true, configurationPid = Market.EXCHANGE,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class PriceSource {
  private static final int READERS = 2;
  private static final long WAIT_NANOS = 100_000_000;
  private static final long PAUSE_NANOS = 1_000_000;

  private final Publisher publisher;
  private final Thread thread;
  private volatile boolean stopped;

  /** Called by Declarative Services. */
  @Activate
  public PriceSource(@Reference(name = Market.PRICES, target = Market.CONFIGURED) BroadcastService prices) {
    publisher = prices.publish();
    thread = Thread.ofPlatform().name("prices").start(this::publish);
  }

  private void publish() {
    try (publisher) {
      while (!stopped && !publisher.awaitSubscribers(READERS, WAIT_NANOS)) {
        Thread.onSpinWait(); // so that both see all
      }
      while (!stopped) {
        long number = publisher.nextSequence();
        publisher.offer(Market.PRICE, new Market.Price(number, number % 1000), Long.MAX_VALUE);
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    } catch (SegmentClosedException over) {
      // the service has gone
    }
  }

  @Deactivate
  void stop() throws InterruptedException {
    stopped = true;
    publisher.retire(); // ends a wait of the thread
    thread.join();
  }
}
