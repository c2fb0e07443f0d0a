package io.bywash.samples.demo.listener;

import io.bywash.engine.Message;
import io.bywash.osgi.BroadcastService;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.QueueListener;
import io.bywash.osgi.RequireBywash;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Process 2 of the demo: is fed with the readings, wherever they come from, and tells on the standard output what it
 * got, and when the queue's service came and went.
 */
@RequireBywash
@Component(service = QueueListener.class, immediate = true,
    property = {BywashConstants.SEGMENT + "=demo", BywashConstants.QUEUE + "=readings"})
public final class DemoListener implements QueueListener {
  private static final long REPORT_MILLIS = 100;

  private final Tally tally = new Tally();
  private final Thread reporter = new Thread(this::report, "demo-reporter");

  @Activate
  void activate() {
    reporter.setDaemon(true);
    reporter.start();
  }

  @Override
  public void onMessage(Message message) {
    synchronized (tally) {
      tally.count(message.sequence(), message.getLong(0));
    }
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      target = "(&(" + BywashConstants.SEGMENT + "=demo)(" + BywashConstants.QUEUE + "=readings))")
  void bindQueue(BroadcastService queue) {
    System.out.println("event appeared " + System.nanoTime());
  }

  void unbindQueue(BroadcastService queue) {
    System.out.println("event vanished " + System.nanoTime());
  }

  private void report() {
    try {
      while (!System.out.checkError()) { // an error: whoever started this container has gone
        synchronized (tally) {
          System.out.println("counts " + tally.counts());
        }
        Thread.sleep(REPORT_MILLIS);
      }
      System.exit(1);
    } catch (InterruptedException deactivated) {
      // the last word is deactivate's
    }
  }

  @Deactivate
  void deactivate() {
    reporter.interrupt();
    synchronized (tally) {
      System.out.println("counts " + tally.countsAndLatencies());
    }
  }
}
