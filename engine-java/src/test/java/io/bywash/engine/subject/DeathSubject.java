package io.bywash.engine.subject;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.death.Scene;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * What the suites in {@code death} know of a kind of structure.
 *
 * <p>An operation is run in a {@link Scene}, which the kind extends by what its operations work on and by a record of
 * what was promised to whom. Those promises are its marks: numbers that only the kind understands, taken again behind
 * each step, and given to the {@link Examination} of what was found there.
 *
 * @param <S> the scene of this kind
 */
public interface DeathSubject<S extends Scene> {
  /** The structure that processes die in; small, so that a few operations reach each of its states. */
  EntrySpec spec(String name);

  /** One more, as small as one can be, that is added beside it. */
  EntrySpec added(String name);

  /** One that {@link io.bywash.engine.Segment#open} refuses where the one of {@link #spec} is. */
  EntrySpec differing(String name);

  /** A scene in a bus directory, with nothing open. Its marks then say that nothing was promised. */
  S scene(Path bus);

  /** Adds the kind's own operations. Those that every segment has are there already. */
  void operations(OperationList<S> operations);

  /** Looks at what one death left behind. */
  Examination examination(List<Long> marks);

  /** A newcomer uses a structure whose dead are being buried by somebody who stands still: nothing holds it back. */
  void useWhileOthersAreBuried(Entry entry);

  /** Takes part in the structure beside the one who dies, and holds it back where that is possible. */
  Companion companion(Entry entry);

  /** Places in the engine that no operation reaches, by how they begin, as {@code RewriterTest} prints them. */
  default List<String> unreached() {
    return List.of();
  }

  /** Simple names of classes that look at the clock; a scene may stop that by {@code Probe.stopClock}. */
  default Set<String> clocks() {
    return Set.of();
  }

  /** Faults in the order of the kind's own stores, which the examinations have to notice. */
  default List<Fault> faults() {
    return List.of();
  }

  /**
   * A store in the wrong place.
   *
   * @param store the method with the store, and the region's method that it calls, as {@code Class.method store}
   * @param number which of those calls, from 0
   * @param until behind which call the store is done instead, in the same form; empty to leave it out
   * @param operation that shows it, by the name given to it
   */
  record Fault(String store, int number, String until, String operation) {}

  /** The living look at what one death left. Fails by an {@link AssertionError}. */
  interface Examination {
    /** What an observer finds before anybody has changed anything. Not called where the segment was not there. */
    void observe(Entry entry);

    /**
     * Newcomers use the structure, and it works; what it held is there. Called once, before a recovery or after one.
     * Gives all roles back.
     */
    void use(Entry entry);

    /** A newcomer uses the one of {@link DeathSubject#added}, which has just been added. */
    void useAdded(Entry entry);
  }

  /** A survivor. */
  interface Companion extends AutoCloseable {
    /** Goes on for a moment, at most a few milliseconds. */
    void live();

    /** The other one is dead and buried: what it left is right, by its marks, and this one works on with newcomers. */
    void takeOver(List<Long> marks);

    @Override
    void close();
  }
}
