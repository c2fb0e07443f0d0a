package io.bywash.osgi.internal;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.BroadcastService;
import java.nio.file.Path;

/** A discovered queue as one bundle uses it, with that bundle's own attachment. */
final class BundleQueue implements BroadcastService, AutoCloseable {
  private final DiscoveredQueue queue;
  private final Log log;
  private Segment attachment;
  private boolean closed;

  BundleQueue(DiscoveredQueue queue, Log log) {
    this.queue = queue;
    this.log = log;
  }

  @Override
  public String segment() {
    return queue.segment().name();
  }

  @Override
  public String queue() {
    return queue.name();
  }

  @Override
  public Path path() {
    return queue.segment().path();
  }

  @Override
  public BroadcastStatus status() {
    return BroadcastStatus.of(queue.entry());
  }

  @Override
  public Subscriber subscribe(SubscriberOptions options) {
    return Subscriber.open(attachedEntry(), options);
  }

  @Override
  public Publisher publish() {
    return Publisher.open(attachedEntry());
  }

  private synchronized Entry attachedEntry() {
    if (closed) {
      throw new SegmentClosedException("The service of queue \"" + queue.name() + "\" in segment " + path()
          + " was released or withdrawn. Get it again.");
    }
    if (attachment == null) {
      attachment = queue.segment().attach();
    }
    return attachment.directory().find(queue.name(), Kind.BROADCAST);
  }

  /** The bundle released the service. */
  @Override
  public synchronized void close() {
    closed = true;
    if (attachment != null) {
      WatchedSegment.close(attachment, log);
      attachment = null;
    }
  }

  @Override
  public String toString() {
    return "BroadcastService[" + path() + " " + queue() + "]";
  }
}
