package io.bywash.osgi.internal.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.service.log.Logger;

/** A log service that blocks or fails, which the test plays. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LogTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private final List<String> written = Collections.synchronizedList(new ArrayList<>());
  private final Log log = new Log(() -> (Logger) Proxy.newProxyInstance(Logger.class.getClassLoader(),
      new Class<?>[] {Logger.class}, (self, method, arguments) -> write(method.getName(), arguments)));

  private Object write(String level, Object[] arguments) throws InterruptedException {
    entered.countDown();
    released.await();
    Object[] values = (Object[]) arguments[1];
    if (values[0] instanceof RuntimeException thrown) {
      throw thrown;
    }
    return written.add(level + " " + values[0]);
  }

  @AfterEach
  void release() {
    released.countDown();
  }

  @Test
  void nobodyWaitsForALogServiceThatBlocksAndWhatIsDroppedIsCounted() throws Exception {
    log.warn("{}", 0);
    entered.await();
    for (int i = 1; i < Log.CAPACITY; i++) {
      assertTrue(log.error("{}", i));
    }
    assertFalse(log.error("{}", "too many"));
    log.warn("{}", "too many");
    log.await(1); // nor does whoever ends
    assertEquals(List.of(), written);
    released.countDown();
    log.await(PATIENCE_NANOS);
    assertEquals(Log.CAPACITY + 1, written.size());
    assertEquals(List.of("warn 0", "warn 2", "error 1"), written.subList(0, 3));
  }

  @Test
  void aLogServiceThatFailsStopsNothing() throws Exception {
    released.countDown();
    log.warn("{}", new IllegalStateException("thrown on purpose by the test"));
    log.debug("{}", "next");
    log.await(PATIENCE_NANOS);
    assertEquals(List.of("warn 1", "debug next"), written);
  }
}
