package io.bywash.engine.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.inspect.SegmentMXBean.EntryLook;
import io.bywash.engine.inspect.SegmentMXBean.HolderLook;
import java.lang.management.ManagementFactory;
import java.util.List;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A segment in JMX, as a client sees it that has nothing but the MBean server. */
@Tag("once")
@Timeout(60)
class SegmentBeanTest {
  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aClientSeesEntriesCountersHoldersAndWhoHoldsThePublisherBack() throws Exception {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("orders", 4096), Atomics.spec("flags", "long count"));
    ObjectName name;
    try (Segment segment = Segment.create(bus.path("market"), spec);
        SegmentBean bean = SegmentBean.register(segment)) {
      name = new ObjectName(bean.objectName());
      Entry orders = segment.directory().find("orders").orElseThrow();
      SegmentMXBean seen = JMX.newMXBeanProxy(server, name, SegmentMXBean.class);
      long pid = ProcessHandle.current().pid();
      try (Publisher publisher = Publisher.open(orders); Subscriber subscriber = Subscriber.open(orders)) {
        subscriber.label("slow");
        long published = 0;
        while (publisher.offer(new byte[100])) {
          published++;
        }
        while (seen.getFindings().isEmpty()) { // until there are two looks
          publisher.offer(new byte[100]);
        }
        assertTrue(seen.getFindings().getFirst().contains("holds publisher process " + pid + " back"));
        EntryLook entry = seen.getEntries().getFirst();
        assertEquals("orders", entry.name());
        assertEquals(published, entry.counters().get("published"));
        assertTrue(entry.counters().get("blocked") > 0 && entry.fill() > 0.8, entry.toString());
        HolderLook slow = entry.holders().getLast();
        assertEquals(published, slow.counters().get("lag"));
        assertEquals(List.of(pid, true, "slow", "block"), List.of(slow.pid(), slow.alive(), slow.label(), slow.task()));
        assertEquals(-1, seen.getEntries().getLast().fill());
      }
      assertEquals(List.of(pid), seen.getProcesses());
      assertEquals(List.of(), seen.getDeadProcesses());
      assertEquals(segment.sizeBytes(), seen.getSizeBytes());
      assertThrows(IllegalStateException.class, () -> SegmentBean.register(segment)); // it is there already
    }
    assertFalse(server.isRegistered(name));
  }
}
