package io.bywash.engine.internal.segment;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that was truncated while it was mapped: the memory behind the mapping is gone. The virtual machine reports
 * that as an {@link InternalError}, at or just after the access. This turns the error into an exception that says so.
 */
public final class TruncatedFile {
  private TruncatedFile() {}

  /**
   * The exception to throw; throws {@code fault} itself if the file was not truncated, and another one if nobody can
   * tell any more, since the file was closed.
   */
  public static DamagedSegmentException damage(Path path, SegmentFile file, long mappedBytes, InternalError fault) {
    long left;
    try {
      left = file.sizeBytes();
    } catch (IOException unknown) { // it was closed meanwhile
      SegmentClosedException closed = new SegmentClosedException("Segment " + path + " was closed in this process while"
          + " it was in use. Attach it again.");
      closed.initCause(fault);
      throw closed;
    }
    if (left >= mappedBytes) {
      throw fault;
    }
    DamagedSegmentException damage = Geometry.damaged(path,
        "its file of " + mappedBytes + " bytes was cut to " + left + " bytes while it was in use");
    damage.initCause(fault);
    return damage;
  }
}
