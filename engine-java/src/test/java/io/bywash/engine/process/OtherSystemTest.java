package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.UnsupportedSystemException;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A JVM that says that it runs on another operating system: each way in is closed, with a sentence. */
@Tag("once")
@Timeout(120)
class OtherSystemTest {
  private static final String SYSTEM = "Mac OS X";

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void elsewhereThanOnLinuxEveryWayInSaysThatAndLeavesNothing() throws IOException {
    List<String> options = List.of("-Dos.name=" + SYSTEM);
    try (ChildProcess child = ChildProcess.startBy(List.of(), options, Enter.class, bus.path("elsewhere"))) {
      for (String way : List.of("create", "open", "attach", "observe", "names", "standard")) {
        String said = child.await(way);
        assertTrue(said.startsWith("Bywash runs on Linux only, and this is " + SYSTEM + "."), said);
      }
      child.finish();
    }
    try (var files = Files.list(bus.directory())) {
      assertEquals(List.of(), files.toList());
    }
  }

  static final class Enter implements ChildProgram {
    @Override
    public void run(String... arguments) {
      Path file = Path.of(arguments[0]);
      SegmentSpec spec = SegmentSpec.of(Broadcast.spec("queue", 4096));
      refused("create", () -> Segment.create(file, spec));
      refused("open", () -> Segment.open(file, spec));
      refused("attach", () -> Segment.attach(file, 0));
      refused("observe", () -> Segment.observe(file));
      refused("names", () -> BusDirectory.at(file.getParent()).names());
      refused("standard", BusDirectory::standard);
    }

    private static void refused(String way, Runnable use) {
      try {
        use.run();
        ChildProgram.say(way + " went on");
      } catch (UnsupportedSystemException refusal) {
        ChildProgram.say(way + " " + refusal.getMessage());
      }
    }
  }
}
