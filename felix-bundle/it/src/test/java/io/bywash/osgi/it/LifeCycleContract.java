package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.BroadcastStatus;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.framework.wiring.FrameworkWiring;

/** What bundles take, and what is left of it, and of them, when they go. */
abstract class LifeCycleContract extends ContainerFixture {
  @Test
  void aBundleTakesRolesFromTheServiceUntilItReleasesIt() throws Exception {
    Object configuration = configuration("papa", Map.of(SEGMENT, "papa"));
    ServiceReference<?> queue = awaitQueue("papa");
    LongUnaryOperator user =
        (LongUnaryOperator) container.create("ServiceUser", container.testContext().getService(queue));
    assertEquals(42, user.applyAsLong(42));
    container.testContext().ungetService(queue);
    assertEquals("io.bywash.engine.SegmentClosedException",
        assertThrows(RuntimeException.class, () -> user.applyAsLong(43)).getClass().getName());
    ((AutoCloseable) user).close();
    Container.call(configuration, "delete");
    awaitWithdrawn("papa");
  }

  @Test
  void aBundleSendsRecordsOfItsOwnAndNothingOfItIsKeptWhenItIsRefreshed() throws Exception {
    Object configuration = configuration("romeo", Map.of(SEGMENT, "romeo"));
    WeakReference<ClassLoader> loader = sendRecords(awaitQueue("romeo"));
    awaitUntil("the bundle's class loader to be collected", () -> {
      System.gc();
      return loader.get() == null;
    });
    Container.call(configuration, "delete");
    awaitWithdrawn("romeo");
  }

  private WeakReference<ClassLoader> sendRecords(ServiceReference<?> queue) throws Exception {
    Bundle bundle = container.installAnother("io.bywash.osgi.it.records");
    Object user = Container.create(bundle, "RecordUser", bundle.getBundleContext().getService(queue));
    assertEquals(42, ((LongUnaryOperator) user).applyAsLong(42));
    bundle.getBundleContext().ungetService(queue);
    bundle.uninstall();
    CountDownLatch refreshed = new CountDownLatch(1);
    container.context().getBundle(0).adapt(FrameworkWiring.class).refreshBundles(List.of(bundle),
        event -> refreshed.countDown());
    assertTrue(refreshed.await(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS));
    return new WeakReference<>(user.getClass().getClassLoader());
  }

  @Test
  void noThreadKeepsAnythingOfItsCaller() throws Exception {
    InheritableThreadLocal<String> inherited = new InheritableThreadLocal<>();
    Queue<Object> seen = new ConcurrentLinkedQueue<>();
    publisher("xavier").publish(1);
    awaitQueue("xavier");
    ThreadGroup group = new ThreadGroup("of a caller");
    Thread caller = new Thread(group, () -> {
      inherited.set("of a caller");
      try {
        container.bywash().stop();
        container.bywash().start(); // discovery begins, and feeders below
        listen("xavier", () -> seen.addAll(List.of(String.valueOf(inherited.get()),
            Thread.currentThread().getContextClassLoader(),
            Thread.currentThread().getThreadGroup() == group ? "of a caller" : "of none")));
      } catch (Exception failure) {
        seen.add(failure);
      }
    });
    caller.setContextClassLoader(new URLClassLoader(new URL[0]));
    caller.start();
    caller.join();
    awaitUntil("a message", () -> !seen.isEmpty());
    ClassLoader listeners = container.testContext().getBundle().adapt(BundleWiring.class).getClassLoader();
    assertEquals(List.of("null", listeners, "of none"), List.copyOf(seen));
    Thread discovery = Container.await("discovery", () -> Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("bywash-discovery")).findFirst());
    assertNull(discovery.getThreadGroup().getParent());
    assertSame(container.bywash().adapt(BundleWiring.class).getClassLoader(), discovery.getContextClassLoader());
  }

  @Test
  void aStoppedBundleLeavesNoServiceNoThreadAndNoPlaceInTheQueue() throws Exception {
    PublisherProcess publisher = publisher("sierra2");
    Listening listening = listen("sierra2", () -> {});
    publisher.publish(5);
    listening.awaitSequences(5);
    container.bywash().stop();
    assertLeftNothing("sierra2");
    container.bywash().start();
    awaitQueue("sierra2");
    listening.awaitSequences(10); // what is still there comes again: the place in the queue was given up
    container.bywash().uninstall();
    assertLeftNothing("sierra2");
    container.installBywash();
    awaitQueue("sierra2");
  }

  private void assertLeftNothing(String segment) {
    assertTrue(queue(segment).isEmpty());
    try (Segment observed = Segment.observe(bus.resolve(segment))) {
      assertEquals(List.of(), BroadcastStatus.of(observed.directory().find("ticks", Kind.BROADCAST)).subscribers());
      assertEquals(1, observed.participants().size());
    }
    awaitUntil("no thread of the bundle", () -> Thread.getAllStackTraces().keySet().stream()
        .noneMatch(thread -> thread.getName().startsWith("bywash-")));
  }
}
