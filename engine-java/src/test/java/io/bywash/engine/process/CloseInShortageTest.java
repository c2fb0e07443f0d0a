package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Payload;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.pool.Pool;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.process.ChildProcess.Setup;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is closed while the heap is exhausted is closed for others as well, at the latest when it is closed again. */
@Tag("once")
@Timeout(180)
class CloseInShortageTest {
  private static final int ROLES = 64;
  private static final int TRIES = 50;
  /** If no close failed before. */
  private static final int MOST_TRIES = 40 * TRIES;
  private static final SegmentSpec SPEC = SegmentSpec
      .of(Pool.spec("pool", ROLES, 8, ROLES), Broadcast.spec("queue", 4096)).withParticipantCapacity(4);

  @RegisterExtension final TempBus bus = new TempBus();

  /** Exhausts the heap but for room for some objects, another number of them each time. */
  private static final class Hog {
    private static final int OBJECT_BYTES = 32;

    private final Random random = Payload.random("close in a shortage");
    private final Object[] objects;
    private final Object[] taken = new Object[1 << 12];
    private int count;

    Hog(int room) {
      this.objects = new Object[room];
    }

    void fill() {
      for (int i = 0; i < objects.length; i++) {
        objects[i] = new byte[OBJECT_BYTES];
      }
      int before;
      do { // what one pass makes the collector move is room for the next one
        before = count;
        for (int size = 1 << 20; size >= 8; ) {
          try {
            taken[count] = new byte[size];
            count++;
          } catch (OutOfMemoryError full) {
            size /= 16;
          }
        }
      } while (count > before);
      for (int i = random.nextInt(objects.length + 1); i > 0; ) {
        objects[--i] = null;
      }
    }

    void free() {
      Arrays.fill(objects, null);
      Arrays.fill(taken, null);
      count = 0;
    }

    /** Whether a step fails for want of heap. */
    boolean isRefused(Runnable step) {
      fill();
      try {
        step.run();
        return false;
      } catch (OutOfMemoryError shortage) {
        return true;
      } finally {
        free();
      }
    }
  }

  /** Says how many roles and objects can be had after roles were closed in shortages, and whether any close failed. */
  static final class ClosesRoles implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.open(Path.of(arguments[0]), SPEC)) {
        Entry pool = segment.directory().find("pool", Kind.POOL);
        PoolUser.open(pool).close(); // a class that is first needed without heap is lost to its process
        Hog hog = new Hog(20);
        boolean failed = false;
        for (int i = 0; i < TRIES || !failed && i < MOST_TRIES; i++) {
          PoolUser user = PoolUser.open(pool);
          user.acquire();
          failed |= hog.isRefused(user::close);
          user.close();
        }
        List<PoolUser> all = new ArrayList<>();
        int objects = 0;
        try {
          while (true) {
            all.add(PoolUser.open(pool));
            objects += all.getLast().acquire() == 0 ? 0 : 1;
          }
        } catch (TableFullException full) {
          ChildProgram.say("had " + all.size() + " " + objects + " " + failed);
        }
        all.forEach(PoolUser::close);
      }
    }
  }

  /** Says whether another participant sees each segment left that was closed in a shortage and again after it. */
  static final class ClosesSegments implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      try (Segment other = Segment.open(file, SPEC)) {
        List<PoolUser> users = new ArrayList<>(); // or they might be given back by the cleaner meanwhile
        open(file, users).close(); // a class that is first needed without heap is lost to its process
        Hog hog = new Hog(200);
        boolean failed = false;
        boolean left = true;
        for (int i = 0; left && (i < TRIES || !failed && i < MOST_TRIES); i++) {
          users.clear();
          Segment segment = open(file, users);
          failed |= hog.isRefused(segment::close);
          segment.close();
          Reference.reachabilityFence(users);
          left = other.participants().size() == 1;
        }
        ChildProgram.say("left " + left + " " + failed);
      }
    }

    private static Segment open(Path file, List<PoolUser> users) {
      Segment segment = Segment.attach(file, 0);
      Entry pool = segment.directory().find("pool", Kind.POOL);
      for (int i = 0; i < 4; i++) {
        users.add(PoolUser.open(pool));
        users.getLast().acquire();
      }
      return segment;
    }
  }

  /** Says whether another participant sees each segment left whose last role ended in a shortage, after its close. */
  static final class EndsRoles implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      try (Segment other = Segment.open(file, SPEC)) {
        close(file, Claim::abort);
        Hog hog = new Hog(40);
        boolean[] failed = {false};
        boolean left = true;
        for (int i = 0; left && (i < TRIES || !failed[0] && i < MOST_TRIES); i++) {
          close(file, claim -> failed[0] |= hog.isRefused(claim::abort));
          left = other.participants().size() == 1;
        }
        ChildProgram.say("ended " + left + " " + failed[0]);
      }
    }

    private static void close(Path file, Consumer<Claim> ending) {
      Segment segment = Segment.attach(file, 0);
      Publisher publisher = Publisher.open(segment.directory().find("queue", Kind.BROADCAST));
      Claim claim = publisher.tryClaim(8);
      segment.close(); // but the role, whose operation goes on
      ending.accept(claim);
      Reference.reachabilityFence(publisher);
    }
  }

  /** Says whether each segment is removed that its last user closed in a shortage and again after it. */
  static final class RemovesSegments implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      Segment.create(file, SPEC).close(); // a class that is first needed without heap is lost to its process
      Hog hog = new Hog(100);
      boolean failed = false;
      boolean gone = true;
      for (int i = 0; gone && (i < TRIES || !failed && i < MOST_TRIES); i++) {
        Segment segment = Segment.create(file, SPEC);
        failed |= hog.isRefused(segment::close);
        segment.close();
        gone = !Files.exists(file);
      }
      ChildProgram.say("gone " + gone + " " + failed);
    }
  }

  /**
   * Says of how many files that were closed without any heap the lock is free: with native access at once, otherwise
   * when the next file is opened.
   */
  static final class ClosesFiles implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      try (SegmentFile made = SegmentFile.create(file,
          Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE))) {
        made.allocate(4096);
      }
      for (int i = 0; i < 4; i++) { // what is first needed without heap is lost, as is what the JDK makes of it later
        closeLocked(file, ROLES, Runnable::run);
      }
      Hog hog = new Hog(0);
      int free = closeLocked(file, ROLES, hog::isRefused);
      Files.delete(file);
      ChildProgram.say("unlocked " + free);
    }

    private static int closeLocked(Path file, int count, Consumer<Runnable> closing) throws IOException {
      List<SegmentFile> files = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        files.add(SegmentFile.open(file, false));
        files.getLast().map(4096);
        files.getLast().tryLock(i);
      }
      int free = 0;
      try (SegmentFile other = SegmentFile.open(file, false)) {
        closing.accept(() -> {
          for (int i = 0; i < count; i++) {
            files.get(i).close();
          }
        });
        if (!NativeAccess.ENABLED) {
          SegmentFile.open(file, false).close();
        }
        for (int i = 0; i < count; i++) {
          free += other.tryLock(i) ? 1 : 0;
        }
      }
      return free;
    }
  }

  private void assertSays(String word, String expected, Class<? extends ChildProgram> program) {
    assertSays(word, expected, Setup.own(), program);
  }

  private void assertSays(String word, String expected, Setup setup, Class<? extends ChildProgram> program) {
    try (ChildProcess child = ChildProcess.start(List.of(), List.of("-Xmx10m", "-XX:+UseSerialGC"), setup, Map.of(),
        program, bus.path("full"))) {
      assertEquals(expected, child.await(word));
      child.finish();
    }
  }

  @Test
  void aFileIsClosedAndUnlockedWithoutAnyHeap() {
    assertSays("unlocked", String.valueOf(ROLES), ClosesFiles.class);
  }

  @Test
  void withoutNativeAccessThatIsSoWhenTheNextFileIsOpened() {
    assertSays("unlocked", String.valueOf(ROLES), Setup.PORTABLE, ClosesFiles.class);
  }

  @Test
  void noRoleAndNoObjectIsLostWhenRolesAreClosedInAShortage() {
    assertSays("had", ROLES + " " + ROLES + " true", ClosesRoles.class);
  }

  @Test
  void aSegmentThatIsClosedInAShortageAndAgainIsLeft() {
    assertSays("left", "true true", ClosesSegments.class);
  }

  @Test
  void aSegmentIsLeftThoughItsLastRoleEndsInAShortageAfterTheClose() {
    assertSays("ended", "true true", EndsRoles.class);
  }

  @Test
  void aSegmentThatItsLastUserClosesInAShortageAndAgainIsRemoved() {
    assertSays("gone", "true true", RemovesSegments.class);
  }
}
