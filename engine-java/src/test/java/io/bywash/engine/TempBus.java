package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A bus directory of one test alone, in shared memory. After the test nothing but the lock file may be left in it; then
 * it is deleted, whether or not the test was that tidy.
 *
 * <p>Registered in an instance field: {@code @RegisterExtension final TempBus bus = new TempBus();}
 */
public final class TempBus implements BeforeEachCallback, AfterEachCallback {
  private static final Path PARENT = Path.of("/dev/shm");
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private Path directory;

  /** The directory. */
  public Path directory() {
    return directory;
  }

  /** The file of the segment of that name. */
  public Path path(String name) {
    return directory.resolve(name);
  }

  /** What lies in the directory now, but for the lock file; sorted. */
  public List<String> files() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> !name.equals(".lock")).sorted().toList();
    } catch (IOException failure) {
      throw new AssertionError("the bus directory " + directory + " cannot be listed", failure);
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    directory = Files.createTempDirectory(PARENT, "bywash-test-");
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    boolean passed = context.getExecutionException().isEmpty(); // what a failed test leaves is not the news
    long start = System.nanoTime();
    while (passed && !files().isEmpty() && System.nanoTime() - start < PATIENCE_NANOS) {
      LockSupport.parkNanos(1_000_000); // a thread that is still inside a role takes its segment with it
    }
    List<String> left = files();
    deleteAll();
    if (passed) {
      assertEquals(List.of(), left, "left in the bus directory by " + context.getDisplayName());
    }
  }

  private void deleteAll() throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> files = Files.walk(directory)) {
      deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : deepestFirst) {
      if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        file.toFile().setWritable(true);
      }
      Files.deleteIfExists(file);
    }
  }
}
