package io.bywash.engine.death;

import static io.bywash.engine.death.Scene.expect;
import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.ALONE;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.subject.Subjects;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What is tried, with a structure of each kind: the operations that every segment has, which join by being added here,
 * and the kind's own, which its subject adds.
 */
final class Operations {
  /**
   * One operation.
   *
   * @param subject whose structure is in the segment
   * @param name for people, and for programs that are started with it
   * @param before makes the scene
   * @param watched is what processes die in
   */
  record Operation(Subject subject, String name, Consumer<Scene> before, Consumer<Scene> watched, Set<Trait> traits) {
    boolean is(Trait trait) {
      return traits.contains(trait);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** What is done about a first death: who does it may die too. */
  private static final String TAKE_OVER = "open and recover";
  private static final String RECOVER = "recover";
  /** Where the first slot's word is. */
  private static final long SLOTS = SegmentLayout.HEADER_BYTES + SegmentLayout.SLOT_WORD;

  private final DeathSubject<?> subject;
  private final OperationList<Scene> list;

  private Operations(Subject subject, List<Operation> all) {
    this.subject = subject.death();
    this.list = new OperationList<>(subject, all);
  }

  /** Those of all kinds. */
  static List<Operation> all() {
    return Subjects.all().stream().flatMap(subject -> of(subject).stream()).toList();
  }

  /** Those with a structure of one kind. */
  static List<Operation> of(Subject subject) {
    List<Operation> all = new ArrayList<>();
    Operations common = new Operations(subject, all);
    common.lifecycle();
    common.adding();
    addOwn(subject, subject.death(), all);
    common.recovering();
    common.closing();
    return all;
  }

  private static <S extends Scene> void addOwn(Subject subject, DeathSubject<S> death, List<Operation> all) {
    death.operations(new OperationList<>(subject, all));
  }

  static Operation named(String name) {
    return all().stream().filter(each -> each.name.equals(name)).findFirst().orElseThrow();
  }

  /** By the name that was given to it. */
  static Operation named(Subject subject, String name) {
    return named(subject.name() + ": " + name);
  }

  static Operation takeOver(Subject subject) {
    return named(subject, TAKE_OVER);
  }

  static Operation recover(Subject subject) {
    return named(subject, RECOVER);
  }

  private void add(String name, Consumer<Scene> before, Consumer<Scene> watched, Trait... traits) {
    Trait[] all = Arrays.copyOf(traits, traits.length + 1);
    all[traits.length] = Trait.COMMON;
    list.add(name, before, watched, all);
  }

  private static void nothing(Scene scene) {}

  private void lifecycle() {
    add("create", Operations::nothing, Scene::open, ALONE);
    add("create in the directory of a group", Scene::shareDirectory, Scene::open, ALONE);
    add("create beside what a dead creator left", scene -> dieCreating(scene, false), Scene::open, ALONE, AFTER_DEATHS);
    add("open what a dead creator has linked", scene -> dieCreating(scene, true), Scene::open, AFTER_DEATHS);
    add("create, and lose against another creator", scene -> {
      // No lock is held while it is allocated and filled.
      scene.when = image -> image.hasHidden(SegmentLayout.HEADER_BYTES);
      scene.meanwhile = scene::open;
    }, scene -> expect(SegmentExistsException.class, () -> Segment.create(scene.file(), scene.spec())), ALONE);
    add("open what exists", Scene::open, Scene::open);
    add("open what differs", Scene::open, scene -> expect(SpecMismatchException.class, () ->
        Segment.open(scene.file(), SegmentSpec.of(subject.differing(Scene.STRUCTURE)))));
    add("attach", Scene::open, scene -> Segment.attach(scene.file(), 0).close());
    add("attach to the slot that a stranger has left", scene -> {
      scene.open();
      scene.strangerLeft();
    }, scene -> Segment.attach(scene.file(), 0).close());
    add("attach to the slot of a dead one", Operations::dieWithEverything, Scene::open, AFTER_DEATHS);
    add("attach to what a dead remover left", Operations::dieRemoving, Scene::open, AFTER_DEATHS);
    add("observe and read", Scene::use, scene -> {
      try (Segment observed = Segment.observe(scene.file())) {
        scene.observe(observed.directory().find(Scene.STRUCTURE).orElseThrow());
      }
    });
  }

  private static void dieCreating(Scene scene, boolean linked) {
    scene.dieDuring(() -> Segment.create(scene.file(), scene.spec()).close(), image ->
        image.hasHidden(0) && image.names().contains(Scene.SEGMENT) == linked);
  }

  private static void dieWithEverything(Scene scene) {
    scene.holdEverything();
    scene.die();
  }

  private static void dieRemoving(Scene scene) {
    scene.use();
    scene.leave();
    Segment last = scene.segment;
    scene.dieDuring(last::close,
        image -> Owner.state(image.word(SegmentLayout.STATE_OFFSET)) == SegmentLayout.CLOSING
            && image.names().contains(Scene.SEGMENT));
  }

  private static void dieAdding(Scene scene) {
    scene.use();
    long row = SegmentLayout.rowsOffset(Scene.SLOTS) + SegmentLayout.ROW_BYTES;
    long before = scene.spec().sizeBytes() - scene.added.sizeBytes();
    scene.dieDuring(() -> scene.segment.directory().findOrAdd(scene.added), image ->
        image.word(SegmentLayout.INTENT_OFFSET) != 0 && image.word(SegmentLayout.NEXT_FREE_OFFSET) != before
            && (image.word(row) & 0xFF) == SegmentLayout.ROW_ADDING);
  }

  private void adding() {
    add("add an entry", Scene::open, scene -> scene.segment.directory().findOrAdd(scene.added));
    add("add an entry after a dead adder", scene -> {
      dieAdding(scene);
      scene.open();
    }, scene -> scene.segment.directory().findOrAdd(scene.added), AFTER_DEATHS);
    add("remove an entry", Operations::added, scene -> scene.segment.directory().remove(scene.added.name()));
    add("add an entry where a removed one was", scene -> {
      added(scene);
      scene.segment.directory().remove(scene.added.name());
    }, scene -> scene.segment.directory().findOrAdd(scene.added));
    add("add an entry after a dead remover of one", scene -> {
      added(scene);
      scene.dieDuring(() -> scene.segment.directory().remove(scene.added.name()), image ->
          image.word(SegmentLayout.INTENT_OFFSET) != 0);
      scene.open();
    }, scene -> scene.segment.directory().findOrAdd(scene.added), AFTER_DEATHS);
  }

  private static void added(Scene scene) {
    scene.open();
    scene.segment.directory().findOrAdd(scene.added);
  }

  private void recovering() {
    add(RECOVER, scene -> {
      dieWithEverything(scene);
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    add(TAKE_OVER, Operations::nothing, scene -> {
      scene.open();
      scene.segment.recover();
    }, ALONE);
    add("recover from a dead adder", scene -> {
      dieAdding(scene);
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    add("recover from a dead remover", scene -> {
      dieRemoving(scene);
      long removing = Image.of(scene.bus).word(SegmentLayout.STATE_OFFSET);
      scene.open(); // which takes the removal back; but it might have begun just now
      ((SegmentEntry) scene.entry()).region().setLongVolatile(SegmentLayout.STATE_OFFSET, removing);
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    add("recover from a dead recoverer", scene -> {
      dieWithEverything(scene);
      scene.open();
      scene.dieDuring(() -> scene.segment.recover(), Operations::isBurying);
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    add("recover from a dead creator", scene -> {
      dieCreating(scene, true);
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
  }

  private static boolean isBurying(Image image) {
    for (int id = 0; id < Scene.SLOTS; id++) {
      long word = image.word(SLOTS + id * SegmentLayout.SLOT_BYTES);
      if (Owner.state(word) == SegmentLayout.SLOT_JOINING) {
        return true;
      }
    }
    return false;
  }

  private void closing() {
    add("close as the last one", scene -> {
      scene.use();
      scene.leave();
    }, scene -> scene.segment.close(), ALONE);
    add("close as the last one after a dead remover", scene -> {
      dieRemoving(scene);
      scene.open();
    }, scene -> scene.segment.close(), ALONE, AFTER_DEATHS);
    add("remove by name", Operations::dieWithEverything,
        scene -> BusDirectory.at(scene.bus).remove(Scene.SEGMENT), ALONE, AFTER_DEATHS);
    add("clean the directory", scene -> {
      dieWithEverything(scene);
      scene.leaveHidden();
    }, scene -> BusDirectory.at(scene.bus).clean(), ALONE, AFTER_DEATHS);
    add("close as the last one while another one joins", scene -> {
      scene.use();
      scene.leave();
      Segment closing = scene.segment;
      int[] leaving = new int[1]; // by the second step it has looked for others, and is about to lock the bus directory
      scene.when = image -> Owner.state(image.word(SLOTS)) == SegmentLayout.SLOT_LEAVING && ++leaving[0] == 2;
      scene.meanwhile = () -> {
        scene.open();
        scene.segment = closing;
      };
    }, scene -> scene.segment.close(), ALONE);
    add("close while others live", scene -> {
      scene.use();
      scene.open();
    }, scene -> scene.segment.close());
  }
}
