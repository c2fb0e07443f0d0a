package io.bywash.engine.death;

import io.bywash.engine.subject.Subject;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Takes the operations that processes die in.
 *
 * @param <S> the scene that they work on
 */
public final class OperationList<S extends Scene> {
  private final Subject subject;
  private final List<Operations.Operation> all;

  OperationList(Subject subject, List<Operations.Operation> all) {
    this.subject = subject;
    this.all = all;
  }

  /**
   * Adds one.
   *
   * @param name for people; unique in the kind
   * @param before makes the scene
   * @param watched is what processes die in
   */
  @SuppressWarnings("unchecked") // the subject makes the scene too
  public void add(String name, Consumer<S> before, Consumer<S> watched, Trait... traits) {
    Set<Trait> set = EnumSet.noneOf(Trait.class);
    set.addAll(Arrays.asList(traits));
    all.add(new Operations.Operation(subject, subject.name() + ": " + name, scene -> before.accept((S) scene),
        scene -> watched.accept((S) scene), set));
  }
}
