package io.bywash.osgi.internal.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The file of named subscriptions. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SubscriptionsTest {
  private static final Subscriptions.Key KEY = new Subscriptions.Key("audit", 0xab, "ticks/1");

  @TempDir Path data;

  private final Log log = new Log(() -> null);

  @Test
  void whatIsSavedIsReadAgain() {
    Subscriptions saved = new Subscriptions(data.resolve("file"), log);
    saved.remember(KEY, 5);
    saved.save();
    assertEquals(OptionalLong.of(5), new Subscriptions(data.resolve("file"), log).next(KEY));
  }

  /** A pipe in place of the file that is written keeps its writer until somebody reads it. */
  @Test
  void nobodyWaitsForAFileThatTakesItsTimeAndWhatChangesMeanwhileIsSavedNext() throws Exception {
    Path file = data.resolve("file");
    Path pipe = data.resolve("file.new");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).inheritIO().start().waitFor());
    Subscriptions saved = new Subscriptions(file, log);
    saved.remember(KEY, 5);
    Thread saver = Thread.ofPlatform().daemon().start(saved::save);
    long start = System.nanoTime();
    while (Arrays.stream(saver.getStackTrace()).noneMatch(frame -> frame.getMethodName().equals("write"))) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60));
      Thread.sleep(1);
    }
    assertTrue(saved.take(KEY)); // all these wait for nothing
    saved.remember(KEY, 9);
    assertEquals(OptionalLong.of(9), saved.next(KEY));
    saved.giveBack(KEY);
    assertEquals(List.of("audit ab ticks/1 5"), Files.readAllLines(pipe));
    saver.join();
    saved.save();
    assertEquals(List.of("audit ab ticks/1 9"), Files.readAllLines(file));
  }
}
