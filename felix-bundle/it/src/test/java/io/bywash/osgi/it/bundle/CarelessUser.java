package io.bywash.osgi.it.bundle;

import io.bywash.engine.Claim;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.BroadcastService;

/**
 * Takes roles from the service of one queue, and never gives them back. {@code what} says which: {@code idle} both,
 * without using them; {@code claim} the publisher, with a claim that it commits when it is run; {@code poll} a
 * subscriber, with which it polls when it is run, and which runs {@code duringCall} for each message.
 */
public final class CarelessUser implements Runnable {
  private final Subscriber subscriber;
  private final Publisher publisher;
  private final Claim claim;
  private final Runnable duringCall;

  public CarelessUser(Object service, String what, Runnable duringCall) {
    BroadcastService queue = (BroadcastService) service;
    this.subscriber = what.equals("claim") ? null : queue.subscribe(SubscriberOptions.block());
    this.publisher = what.equals("poll") ? null : queue.publish();
    this.claim = what.equals("claim") ? publisher.tryClaim(8) : null;
    this.duringCall = duringCall;
  }

  @Override
  public void run() {
    if (claim != null) {
      claim.putLong(0, 0).commit();
    } else {
      subscriber.poll(message -> duringCall.run(), 1, 10_000_000_000L);
    }
  }
}
