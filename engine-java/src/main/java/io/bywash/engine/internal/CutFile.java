package io.bywash.engine.internal;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * A file that somebody cut while it was mapped: the memory behind the mapping is not there any more. The virtual
 * machine reports that as an {@link InternalError}, at or just after the access; here it becomes an exception that says
 * so.
 */
public final class CutFile {
  private CutFile() {}

  /** Looks at a segment's memory, which stays until the look has ended, even if the segment is closed meanwhile. */
  public static <T> T looking(SegmentCore core, Supplier<T> look) {
    core.beginOperation();
    try {
      T result = look.get();
      // A call into the virtual machine, at whose end it throws the error that compiled code held back.
      Thread.holdsLock(core);
      return result;
    } catch (InternalError fault) {
      throw told(core, fault);
    } finally {
      core.endOperation();
    }
  }

  /** What to throw; throws {@code fault} itself if the file was not cut. */
  public static DamagedSegmentException told(SegmentCore core, InternalError fault) {
    return told(core.path(), core.file(), core.geometry().sizeBytes(), fault);
  }

  static DamagedSegmentException told(Path path, SegmentFile file, long mappedBytes, InternalError fault) {
    long left;
    try {
      left = file.sizeBytes();
    } catch (IOException closed) {
      throw fault;
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
