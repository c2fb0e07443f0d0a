package io.bywash.engine.process;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.inspect.HostStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;

/** What the two users of {@link TrustTest} do: the first argument says what, the others where. */
public final class TrustProgram {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 4096));
  private static final int TRIES = 200;

  private TrustProgram() {}

  /** Prints one line for each thing tried; a race ends with "tried". */
  public static void main(String... arguments) throws Exception {
    System.out.println("ready");
    switch (arguments[0]) {
      case "attach" -> tell("attach", () -> Segment.attach(arguments[1], TimeUnit.SECONDS.toNanos(60)).close());
      case "use" -> use(arguments[1]);
      case "doctor" -> HostStatus.of(BusDirectory.standard()).findings().forEach(System.out::println);
      case "open" -> race(() -> openAndLeave(arguments[1]));
      case "create" -> race(() -> createAndLeave(Path.of(arguments[1])));
      case "observe" -> race(() -> Segment.observe(Path.of(arguments[1])).close());
      case "swap" -> swap(Path.of(arguments[1]), Path.of(arguments[2]), Path.of(arguments[3]));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private interface Use {
    void run() throws IOException;
  }

  private static void tell(String what, Use use) throws IOException {
    try {
      use.run();
      System.out.println(what + " works");
    } catch (BusException refused) {
      System.out.println(what + " " + refused.getClass().getSimpleName() + ": " + refused.getMessage());
    }
  }

  private static void use(String name) throws IOException {
    tell("attach", () -> Segment.attach(name, 0).close());
    tell("open", () -> Segment.open(name, SPEC).close());
    tell("observe", () -> Segment.observe(name).close());
    tell("create", () -> Segment.create("other", SPEC).close());
    tell("remove", () -> System.out.println(BusDirectory.standard().remove(name)));
    tell("names", () -> System.out.println(BusDirectory.standard().names()));
  }

  private static void race(Use use) throws IOException {
    for (int tries = 0; tries < TRIES; tries++) {
      try {
        use.run();
      } catch (BusException | IOException refused) {
        // what counts is what the test finds afterwards
      }
    }
    System.out.println("tried");
  }

  /** In the standard directory, which is gone afterwards. */
  private static void openAndLeave(String name) throws IOException {
    Segment.open(name, SPEC).close();
    Files.deleteIfExists(BusDirectory.standard().path().resolve(".lock"));
    Files.deleteIfExists(BusDirectory.standard().path());
  }

  private static void createAndLeave(Path directory) {
    Segment.create(directory.resolve("mine"), SPEC.withPermissions(PosixFilePermissions.fromString("rw-------")))
        .close();
  }

  /** Has a name lead to one of two things in turn, until the test ends it. */
  private static void swap(Path name, Path one, Path other) throws Exception {
    while (System.in.available() == 0) {
      for (Path each : new Path[] {one, other}) {
        try {
          Files.move(each, name, StandardCopyOption.ATOMIC_MOVE);
          Thread.onSpinWait();
          Files.move(name, each, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException inTheWay) {
          // something of the other user's
        }
      }
    }
  }
}
