package io.bywash.engine.cell;

import static io.bywash.engine.cell.LatestLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import java.lang.invoke.VarHandle;
import java.util.List;

/** What the engine's common code asks of latest values. Not part of the public API. */
@SuppressWarnings("exports") // StructureType has no member for users
public final class LatestType extends StructureType {
  /** The only instance. */
  public static final LatestType INSTANCE = new LatestType();

  private static final int MAX_TRIES = 16;

  private LatestType() {
    super(Kind.LATEST);
  }

  @Override
  protected String damage(SegmentEntry entry) {
    long writers = entry.parameters()[PARAMETER_WRITERS];
    long longest = entry.elementSizeBytes();
    boolean possible = entry.capacity() == 1 && writers >= 1 && writers < entry.roleCount() && longest >= 1
        && longest <= 1 << 30
        && writers * BUFFERS_A_WRITER * bufferBytes(longest) <= Math.min(room(entry), Latest.MAX_BYTES);
    return possible ? null : "values of up to " + longest + " bytes of " + writers + " writers among "
        + entry.roleCount() + " roles do not fit its " + entry.sizeBytes() + " bytes";
  }

  @Override
  protected String parameterDifference(long[] found, long[] wanted) {
    return "writers is " + found[PARAMETER_WRITERS] + ", wanted " + wanted[PARAMETER_WRITERS];
  }

  @Override
  protected StructureStatus status(SegmentEntry entry) {
    return LatestStatus.of(new LatestBuffers(entry));
  }

  @Override
  protected List<String> problems(SegmentEntry entry) {
    LatestBuffers buffers = new LatestBuffers(entry);
    String problem = null;
    try {
      for (int tries = 0; tries < MAX_TRIES; tries++) {
        long latest = buffers.latest();
        problem = LatestBuffers.version(latest) == 0 ? latest == 0 ? null : "there is no value, but a buffer has it"
            : problem(buffers, latest);
        VarHandle.acquireFence();
        if (problem == null || buffers.latest() == latest) {
          break;
        }
        problem = null; // it was replaced meanwhile
      }
    } catch (DamagedSegmentException damage) {
      problem = damage.getMessage();
    }
    return problem == null ? List.of() : List.of(problem);
  }

  private static String problem(LatestBuffers buffers, long latest) {
    long buffer = buffers.bufferOf(latest);
    long stamp = buffers.region.getLongOpaque(buffer + BUFFER_STAMP);
    int length = buffers.region.getInt(buffer + BUFFER_LENGTH);
    return stamp != LatestBuffers.version(latest) || length < 1 || length > buffers.maxValueBytes
        ? "the latest value has version " + LatestBuffers.version(latest) + ", and its buffer stamp " + stamp + " and "
            + length + " bytes" : null;
  }
}
