package io.bywash.engine.subject;

import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * One kind of structure, as the suites that go through all kinds see it. A new kind joins them by one class that
 * implements this, in the package of its tests, and one line in {@link Subjects}. It provides:
 *
 * <ul>
 *   <li>its layout classes, which {@code LayoutTest} compares with the specification;
 *   <li>a {@link DeathSubject}: the structure in a small segment, its operations by name, what has to be true of it
 *   after
 *       a death, and a use afterwards by survivors and newcomers. The suites in {@code death} let processes die in
 *       those operations and in those that each segment has: create, attach, add, remove, recover, close;
 *   <li>a {@link DamageSubject}: structures to damage, the words that are worth it, and the uses that touch them. The
 *       suites in {@code process} damage those words and the segment's own, before the uses and during them.
 * </ul>
 *
 * <p>One class may implement all three. What the scene and the operations use runs in a class loader that sees the
 * engine, these tests and the JDK's core, but not JUnit: assertions belong into the examination.
 */
public interface Subject {
  /**
   * A layout class.
   *
   * @param className its full name
   * @param apart words of the common part, by the names of their offsets, that different sides write: each is in a line
   *     of 128 bytes of its own, behind what all structures have there
   * @param end where its words in the common part end, by the constants' values
   * @param ofRoles words of a role that lie between its owner word and its label
   * @param ofHolders words of a role that its holder alone writes, from its second line on
   */
  record Layout(String className, List<String> apart, ToLongFunction<Map<String, Long>> end, List<String> ofRoles,
      List<String> ofHolders) {
    public String simpleName() {
      return className.substring(className.lastIndexOf('.') + 1);
    }
  }

  /** One word, for people, and for programs that are started with it as an argument; {@code toString()} too. */
  String name();

  List<Layout> layouts();

  DeathSubject<?> death();

  DamageSubject damage();
}
