package io.bywash.engine.litmus;

import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.BusFiles;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.kinds.StructureTypes;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Segments for litmus tests, in a directory that belongs to the run, which removes it at its end. A segment is attached
 * twice, as two processes would.
 */
public final class LitmusBus {
  /** Names the directory to the JVMs that run the tests. */
  public static final String DIRECTORY_PROPERTY = "bywash.lab.bus";

  private static final AtomicInteger CREATED = new AtomicInteger();

  private LitmusBus() {}

  /** A file name that nobody used before. */
  public static Path newFile() {
    return Path.of(System.getProperty(DIRECTORY_PROPERTY),
        "s" + ProcessHandle.current().pid() + "-" + CREATED.incrementAndGet());
  }

  /** Two attachments to one new segment. */
  public record Pair(SegmentCore first, SegmentCore second) {}

  /** A new segment for two participants. */
  public static Pair create(SegmentSpec spec) {
    return create(spec, StructureTypes.ALL);
  }

  /** The same for two that know those kinds. */
  public static Pair create(SegmentSpec spec, List<StructureType> types) {
    Path file = newFile();
    return new Pair(BusFiles.create(types, file, spec.withParticipantCapacity(2)), BusFiles.attach(types, file, 0));
  }
}
