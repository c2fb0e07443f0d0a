package io.bywash.engine.internal.segment;

import io.bywash.engine.Participant;
import io.bywash.engine.internal.layout.Owner;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Who lives, as far as one look has asked: each participant is probed once, however many entries depend on it. Used by
 * one thread, and only for that look.
 */
public final class Census {
  private final Participants participants;
  private final Map<Long, Optional<Participant>> asked = new HashMap<>();

  public Census(Participants participants) {
    this.participants = participants;
  }

  /** The participant that a word names, if its slot has not been taken again. */
  public Optional<Participant> describe(long ownerWord) {
    return asked.computeIfAbsent(Owner.participant(ownerWord), participants::describe);
  }

  /** Whether the participant that a word names is alive, see {@link Participants#isAlive}. */
  public boolean isAlive(long ownerWord) {
    return describe(ownerWord).map(Participant::alive).orElse(false);
  }
}
