package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.DamagedSegmentException;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Searches for what is impossible in an endpoint that may be in use. No interleaving of other participants' steps can
 * cause a finding: a slot's words are read in the reverse of the order in which they are written, and read again before
 * one is noted.
 */
final class EndpointCheck {
  private static final int MAX_FINDINGS = 20;
  private static final int MAX_TRIES = 16;

  private EndpointCheck() {}

  /** A sentence on each finding. */
  static List<String> problems(Slots slots) {
    List<String> problems = new ArrayList<>();
    for (int caller = 0; caller < slots.callers && problems.size() < MAX_FINDINGS; caller++) {
      for (int index = 0; index < slots.slotCount && problems.size() < MAX_FINDINGS; index++) {
        String problem = problem(slots, caller, index);
        if (problem != null) {
          problems.add("slot " + index + " of caller " + caller + ": " + problem);
        }
      }
      String order = problems.size() < MAX_FINDINGS ? disorder(slots, caller) : null;
      if (order != null) {
        problems.add(order);
      }
    }
    return problems;
  }

  private static String problem(Slots slots, int caller, int index) {
    long slot = slots.slot(caller, index);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      long reply = slots.replyWord(slot);
      long claim = slots.claim(slot);
      long request = slots.request(slot);
      String problem = problem(slots, caller, slot, reply, claim, request);
      VarHandle.acquireFence();
      if (problem == null) {
        return null;
      }
      if (slots.request(slot) == request && slots.claim(slot) == claim && slots.replyWord(slot) == reply) {
        return problem;
      }
    }
    return null;
  }

  private static String problem(Slots slots, int caller, long slot, long reply, long claim, long request) {
    try {
      long turn = slots.checkedTurn(request, caller);
      if (Slots.turn(reply) > turn || reply != 0 && Slots.state(reply) != REPLIED
          && Slots.state(reply) != ABANDONED) {
        return "it is in turn " + turn + ", and its reply in turn " + Slots.turn(reply) + ", state "
            + Slots.state(reply);
      }
      boolean isNamed = Slots.isClaimed(claim) || Slots.claimState(claim) == DONE && claim != 0;
      if (isNamed && Slots.claimRole(claim) >= slots.responders) {
        return "it is claimed by responder " + Slots.claimRole(claim) + " of " + slots.responders + ", in state "
            + Slots.claimState(claim);
      }
      if (!Slots.isNotNewer(claim, turn)) {
        return "it is in turn " + turn + ", and was claimed for a later one";
      }
      if (Slots.state(reply) == REPLIED && Slots.turn(reply) == turn) {
        int status = slots.region.getInt(slots.reply(slot) + REPLY_STATUS);
        if (status != STATUS_OK && status != STATUS_FAILED) {
          return "its reply has status " + status;
        }
        slots.checkedExtent(slots.reply(slot), status == STATUS_OK ? slots.maxReplyBytes : slots.replyRoom(), "reply");
      }
      if (Slots.state(request) == CALL || Slots.state(request) == ONE_WAY) {
        slots.checkedExtent(slot, slots.maxRequestBytes, "request");
      }
      return null;
    } catch (DamagedSegmentException damage) {
      return damage.getMessage();
    }
  }

  /** A slot is in the turn of the next one, or one further; the first one as often as the last one or once more. */
  private static String disorder(Slots slots, int caller) {
    for (int index = 0; index + 1 < slots.slotCount; index++) {
      long before = turn(slots, caller, index);
      long other = turn(slots, caller, index + 1); // read between the two reads of the slot before it
      long after = turn(slots, caller, index);
      if (other > after || before > other + 1) {
        return "slots " + index + " and " + (index + 1) + " of caller " + caller + " are in turns " + before + " and "
            + other + ", which does not fit together";
      }
    }
    return null;
  }

  private static long turn(Slots slots, int caller, int index) {
    long turn = Slots.turn(slots.request(slots.slot(caller, index)));
    VarHandle.acquireFence();
    return turn;
  }
}
