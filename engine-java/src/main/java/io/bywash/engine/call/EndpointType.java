package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import java.util.List;

/** What the engine's common code asks of endpoints. Not part of the public API. */
@SuppressWarnings("exports") // StructureType has no member for users
public final class EndpointType extends StructureType {
  /** The only instance. */
  public static final EndpointType INSTANCE = new EndpointType();

  private EndpointType() {
    super(Kind.ENDPOINT);
  }

  @Override
  protected String damage(SegmentEntry entry) {
    long[] parameters = entry.parameters();
    long callers = parameters[PARAMETER_CALLERS];
    long slots = parameters[PARAMETER_SLOTS];
    long longestRequest = parameters[PARAMETER_MAX_REQUEST];
    long longestReply = parameters[PARAMETER_MAX_REPLY];
    boolean possible = callers >= 1 && callers < entry.roleCount() && slots >= 1 && slots <= MAX_SLOTS
        && Long.bitCount(slots) == 1 && entry.capacity() == callers * slots && longestRequest >= 1
        && longestRequest <= 1 << 30 && longestReply >= 1 && longestReply <= 1 << 30
        && entry.elementSizeBytes() == Math.max(longestRequest, longestReply)
        && dataBytes(callers, slots, longestRequest, longestReply) <= Math.min(room(entry), Endpoint.MAX_BYTES);
    if (!possible) {
      return callers + " callers among " + entry.roleCount() + " roles, with " + slots + " slots for requests of up to "
          + longestRequest + " and replies of up to " + longestReply + " bytes, do not fit its " + entry.sizeBytes()
          + " bytes";
    }
    long policy = parameters[PARAMETER_POLICY];
    return policy == FAIL || policy == REDELIVER ? null : "its parameters are no policy for lost responders";
  }

  @Override
  protected String parameterDifference(long[] found, long[] wanted) {
    return "callers, slots, longest request, longest reply and redelivery are " + text(found) + ", wanted "
        + text(wanted);
  }

  private static String text(long[] parameters) {
    return parameters[PARAMETER_CALLERS] + ", " + parameters[PARAMETER_SLOTS] + ", "
        + parameters[PARAMETER_MAX_REQUEST] + ", " + parameters[PARAMETER_MAX_REPLY] + ", "
        + parameters[PARAMETER_POLICY];
  }

  @Override
  protected StructureStatus status(SegmentEntry entry) {
    return EndpointStatus.of(new Slots(entry));
  }

  @Override
  protected List<String> problems(SegmentEntry entry) {
    return EndpointCheck.problems(new Slots(entry));
  }

  /** A dead caller's requests are dropped; a dead responder's claims name its role, which is about to be freed. */
  @Override
  protected void recover(SegmentEntry entry, int role, long word) {
    Slots slots = new Slots(entry);
    if (role >= slots.responders) {
      slots.drop(slots.caller(role), true, () -> entry.roleWord(role) == word);
    }
  }

  /** Whether a responder has claimed a request that it did not answer. */
  @Override
  protected boolean leavesSomething(SegmentEntry entry, int role) {
    Slots slots = new Slots(entry);
    for (int caller = 0; role < slots.responders && caller < slots.callersUsed(); caller++) {
      for (int index = 0; index < slots.slotCount; index++) {
        long slot = slots.slot(caller, index);
        long claim = slots.claim(slot);
        if (Slots.claimRole(claim) == role && slots.isOpen(slot, claim)) {
          return true;
        }
      }
    }
    return false;
  }
}
