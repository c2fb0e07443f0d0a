package io.bywash.engine.inspect;

import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.StructureStatus.Counter;
import io.bywash.engine.StructureStatus.Holder;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Shows a segment in JMX, for as long as it is not closed. Inspections happen when somebody asks, at most twice a
 * second, and slow nobody down. Any thread may use it.
 *
 * {@snippet :
 * try (Segment segment = Segment.observe("market"); SegmentBean bean = SegmentBean.register(segment)) {
 *   System.out.println(bean.objectName()); // io.bywash:type=Segment,path="/dev/shm/bywash-1000/market"
 * }
 * }
 */
public final class SegmentBean implements SegmentMXBean, AutoCloseable {
  private static final long OLDEST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final Segment segment;
  private final String objectName;
  private SegmentStatus now;
  private SegmentStatus earlier;
  private boolean closed;

  private SegmentBean(Segment segment) {
    this.segment = segment;
    this.objectName = "io.bywash:type=Segment,path=" + ObjectName.quote(segment.path().toString());
    this.now = SegmentStatus.of(segment);
    this.earlier = now;
  }

  /**
   * Registers a segment with the JVM's own MBean server.
   *
   * @param segment any attachment, even a read-only one; attributes of a closed one are errors
   * @throws IllegalStateException when the module {@code java.management} is missing, or the segment is registered
   *     already
   */
  public static SegmentBean register(Segment segment) {
    try {
      SegmentBean bean = new SegmentBean(segment);
      Server.add(bean);
      return bean;
    } catch (NoClassDefFoundError missing) {
      throw new IllegalStateException("JMX needs the module java.management, which this run-time image does not have"
          + " (or, in a container, the package javax.management)", missing);
    }
  }

  /** What cannot be loaded without JMX. */
  private static final class Server {
    static void add(SegmentBean bean) {
      try {
        ManagementFactory.getPlatformMBeanServer().registerMBean(bean, new ObjectName(bean.objectName));
      } catch (JMException refused) {
        throw new IllegalStateException("Segment " + bean.getPath() + " cannot be shown in JMX: " + refused, refused);
      }
    }

    static void remove(SegmentBean bean) {
      try {
        ManagementFactory.getPlatformMBeanServer().unregisterMBean(new ObjectName(bean.objectName));
      } catch (JMException gone) {
        // it was unregistered before
      }
    }
  }

  /** The name under which the segment is registered. */
  public String objectName() {
    return objectName;
  }

  private synchronized Stream<EntryRates> rates() {
    return look().rates(earlier).stream();
  }

  private synchronized SegmentStatus look() {
    if (System.nanoTime() - now.takenNanos() > OLDEST_NANOS) {
      SegmentStatus newest = SegmentStatus.of(segment);
      earlier = now;
      now = newest;
    }
    return now;
  }

  @Override
  public String getPath() {
    return segment.path().toString();
  }

  @Override
  public long getSizeBytes() {
    return look().sizeBytes();
  }

  @Override
  public long getUnusedBytes() {
    return look().unusedBytes();
  }

  @Override
  public List<Long> getProcesses() {
    return pids(true);
  }

  @Override
  public List<Long> getDeadProcesses() {
    return pids(false);
  }

  private List<Long> pids(boolean alive) {
    return look().participants().stream().filter(each -> each.alive() == alive).map(Participant::pid).toList();
  }

  @Override
  public List<EntryLook> getEntries() {
    return rates().map(each -> new EntryLook(each.entry(), each.kind(), each.fill().orElse(-1.0),
        values(each.counters()), each.perSecond(), each.holders().stream().map(SegmentBean::holder).toList())).toList();
  }

  private static HolderLook holder(EntryRates.HolderRates rates) {
    Holder holder = rates.holder();
    return new HolderLook(holder.role(), holder.participant().pid(), holder.participant().alive(),
        Finding.printable(holder.label()), holder.task(), values(holder.counters()), rates.perSecond());
  }

  private static Map<String, Long> values(List<Counter> counters) {
    Map<String, Long> values = new TreeMap<>();
    counters.forEach(each -> values.put(each.name(), each.value()));
    return values;
  }

  @Override
  public synchronized List<String> getFindings() {
    SegmentStatus status = look();
    return Stream.concat(status.leftByTheDead().stream(), status.heldBack(earlier).stream())
        .map(each -> each.where() + ": " + each.problem()).toList();
  }

  /** Takes the segment out of JMX. Calling this again does nothing. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      Server.remove(this);
    }
  }
}
