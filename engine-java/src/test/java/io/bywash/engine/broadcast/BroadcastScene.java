package io.bywash.engine.broadcast;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.death.Probe;
import io.bywash.engine.death.Scene;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** A segment with one broadcast, roles in it, and what was promised to its subscribers. */
final class BroadcastScene extends Scene {
  /** Messages that turn the ring more than twice. */
  static final int TURNS = 70;
  /** Long enough for a process that has just been started to come to its sleep; shorter than one sleep. */
  private static final long WAIT_NANOS = 40_000_000;
  /** As many as the hub makes until it has slept once, and more. */
  private static final int HUB_STEPS = 20;

  Publisher publisher;
  Subscriber subscriber;

  /** So many messages were certainly published: their commit or publish returned. */
  long promised;
  /** No more messages than these can be visible. */
  long begun;
  /** So many were ever written, published or not: their records take room. */
  private long written;
  /** So many messages were handled by the subscriber; what it has not handled is not to be given up. */
  private long handled = Long.MAX_VALUE;
  /** Any number from {@link #promised} to {@link #begun} may be visible; otherwise only one or the other. */
  private boolean several;

  BroadcastScene(Path bus, DeathSubject<?> subject) {
    super(bus, subject);
  }

  /**
   * What the marks say.
   *
   * @param promised so many messages are published
   * @param begun so many may be, and none or all of those beyond {@code promised}
   * @param written so many were written, published or not
   * @param handled so many messages were handled by a subscriber that may not lose any; the largest number when there
   *     is none
   * @param several whether it may also be any number in between
   */
  record Marks(long promised, long begun, long written, long handled, boolean several) {
    static Marks of(List<Long> marks) {
      return new Marks(marks.get(0), marks.get(1), marks.get(2), marks.get(3), marks.get(4) != 0);
    }
  }

  @Override
  protected List<Long> marks() {
    return List.of(promised, begun, written, handled, several ? 1L : 0);
  }

  @Override
  protected void use() {
    published(20);
  }

  @Override
  protected void leave() {
    publisher.close();
  }

  /** A publisher with staged messages, and subscribers, one of them waiting. */
  @Override
  protected void holdEverything() {
    published(TURNS).stage(3);
    open();
    subscriber(SubscriberOptions.block().waiting(WaitPolicy.BLOCK));
    waitForMessage(); // its bit stays
    subscriber(SubscriberOptions.block().startingAtOldest());
    open();
    subscriber(SubscriberOptions.evictAfter(1_000_000).startingAtOldest());
  }

  @Override
  protected void observe(Entry entry) {
    try (Subscriber observer = Subscriber.open(entry, SubscriberOptions.skip().startingAtOldest())) {
      observer.poll(message -> {}, 10);
    }
  }

  @Override
  protected void forget() {
    publisher = null;
    subscriber = null;
    handled = Long.MAX_VALUE;
  }

  Publisher publisher() {
    publisher = keep(Publisher.open(entry()));
    promised = begun = written = publisher.nextSequence();
    return publisher;
  }

  Subscriber subscriber(SubscriberOptions options) {
    return subscriber = keep(Subscriber.open(entry(), options));
  }

  /** From now on what this subscriber has not handled is not to be given up. */
  void gate() {
    handled = subscriber.nextSequence();
  }

  /** Opens the segment and a publisher, and publishes. */
  BroadcastScene published(int count) {
    open();
    publisher();
    return publish(count);
  }

  /** Publishes messages, one by one. */
  BroadcastScene publish(int count) {
    for (int i = 0; i < count; i++) {
      long sequence = publisher.nextSequence();
      Claim claim = room(sequence);
      begun = sequence + 1;
      claim.commit();
      promised = sequence + 1;
    }
    return this;
  }

  /** Publishes copies, without a claim. */
  void offer(int count) {
    for (int i = 0; i < count; i++) {
      long sequence = publisher.nextSequence();
      written = sequence + 1;
      begun = sequence + 1;
      byte[] content = Letters.content(sequence);
      if (!publisher.offer(content, 0, content.length, Letters.type(sequence), PATIENCE_NANOS)) {
        throw new AssertionError("no room for message " + sequence);
      }
      promised = sequence + 1;
    }
  }

  /** Publishes a message that is a record, as such. */
  void offerRecord() {
    long sequence = publisher.nextSequence();
    written = sequence + 1;
    begun = sequence + 1;
    if (!publisher.offer(Letters.RECORDS, Letters.letter(sequence), PATIENCE_NANOS)) {
      throw new AssertionError("no room for message " + sequence);
    }
    promised = sequence + 1;
  }

  private Claim room(long sequence) {
    written = sequence + 1;
    Claim claim = publisher.claim(Letters.length(sequence), Letters.type(sequence), PATIENCE_NANOS);
    if (claim == null) {
      throw new AssertionError("no room for message " + sequence);
    }
    return Letters.write(claim, sequence);
  }

  /** Publishes up to the message before which there is to be padding. */
  BroadcastScene publishUntilPadding() {
    while (!Letters.isPadded(publisher.nextSequence())) {
      publish(1);
    }
    return this;
  }

  /** Stages messages without publishing them; they may be visible once {@link #publishStaged} is under way. */
  BroadcastScene stage(int count) {
    for (int i = 0; i < count; i++) {
      room(publisher.nextSequence()).stage();
    }
    return this;
  }

  void publishStaged() {
    publishStaged(publisher::publish);
  }

  /** Publishes what is staged by something that also does that. */
  void publishStaged(Runnable publishing) {
    begun = publisher.nextSequence();
    publishing.run();
    promised = begun;
  }

  /** The next messages are published by themselves as room is needed, so that any number of them may be visible. */
  void expectSeveral() {
    several = true;
  }

  /** Waits in the hub's thread for a message that does not come. */
  void waitByTheHub() {
    CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscriber);
    long start = System.nanoTime();
    while (NativeAccess.ENABLED && (Probe.hubSteps() < HUB_STEPS || !isAnnounced(subscriber))) {
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new AssertionError("the hub does not announce the subscriber, and sleep");
      }
      LockSupport.parkNanos(100_000);
    }
    ready.cancel(false);
  }

  /** Claims room and writes a whole message that is never to be seen. */
  Claim claimed() {
    return room(publisher.nextSequence());
  }

  /** Publishes until a claim finds no room. */
  void fill() {
    fill(0);
  }

  /** Publishes until a claim has waited for room in vain. */
  private void fill(long timeoutNanos) {
    while (true) {
      long sequence = publisher.nextSequence();
      written = sequence + 1;
      Claim claim = publisher.claim(Letters.length(sequence), Letters.type(sequence), timeoutNanos);
      if (claim == null) {
        return;
      }
      Letters.write(claim, sequence);
      begun = sequence + 1;
      claim.commit();
      promised = sequence + 1;
    }
  }

  /** Waits in vain until the subscriber has announced itself, which then stays; only polls where nobody does that. */
  void waitForMessage() {
    waitUntilAnnounced(subscriber, () -> poll(WAIT_NANOS));
  }

  /**
   * Fills the ring, and waits in vain until the publisher has announced itself, as above; only claims where nobody does
   * that.
   */
  void waitForRoom() {
    waitUntilAnnounced(publisher, () -> fill(WAIT_NANOS));
  }

  int poll() {
    return poll(0);
  }

  /** Polls; each message is checked. */
  private int poll(long timeoutNanos) {
    long[] due = {subscriber.nextSequence()};
    MessageHandler handler = new MessageHandler() {
      @Override
      public void onMessage(Message message) {
        String fault = Letters.fault(message, due[0]);
        if (fault != null) {
          throw new AssertionError(fault);
        }
        due[0]++;
        if (handled != Long.MAX_VALUE) {
          handled = due[0];
        }
      }

      @Override
      public void onLost(long messageCount) {
        due[0] += messageCount;
      }
    };
    return timeoutNanos > 0 ? subscriber.poll(handler, 100, timeoutNanos) : subscriber.poll(handler, 100);
  }
}
