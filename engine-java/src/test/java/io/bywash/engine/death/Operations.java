package io.bywash.engine.death;

import static io.bywash.engine.death.Operations.Trait.ALONE;
import static io.bywash.engine.death.Operations.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Operations.Trait.PARKS;
import static io.bywash.engine.death.Operations.Trait.SEVERAL;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.Claim;
import io.bywash.engine.EvictedException;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.Owner;
import io.bywash.engine.internal.SegmentEntry;
import io.bywash.engine.internal.SegmentLayout;
import io.bywash.engine.wait.WaitPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What is tried: an operation joins by being added here. */
final class Operations {
  /** What is special about an operation. */
  enum Trait {
    /** The segment is not there before, or not there afterwards: nobody else can be attached meanwhile. */
    ALONE,
    /** Others died before, in another directory. */
    AFTER_DEATHS,
    /** It publishes by itself as it needs room, so that any number of its messages may be visible. */
    SEVERAL,
    /** It waits, and so writes nothing without native access. */
    PARKS
  }

  /**
   * One operation.
   *
   * @param name for people
   * @param before makes the scene
   * @param watched is what processes die in
   */
  record Operation(String name, Consumer<Scene> before, Consumer<Scene> watched, Set<Trait> traits) {
    boolean is(Trait trait) {
      return traits.contains(trait);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** What is done about a first death: who does it may die too. */
  static final String TAKE_OVER = "open and recover";
  /** Where the first slot's word is. */
  private static final long SLOTS = SegmentLayout.HEADER_BYTES + SegmentLayout.SLOT_WORD;

  private final List<Operation> all = new ArrayList<>();

  private Operations() {
    lifecycle();
    adding();
    publishing();
    joining();
    reading();
    revoking();
    recovering();
    closing();
  }

  static List<Operation> all() {
    return new Operations().all;
  }

  static Operation named(String name) {
    return all().stream().filter(each -> each.name.equals(name)).findFirst().orElseThrow();
  }

  private void add(String name, Consumer<Scene> before, Consumer<Scene> watched, Trait... traits) {
    Set<Trait> set = EnumSet.noneOf(Trait.class);
    set.addAll(Arrays.asList(traits));
    all.add(new Operation(name, before, watched, set));
  }

  private static void nothing(Scene scene) {}

  private void lifecycle() {
    add("create", Operations::nothing, Scene::open, ALONE);
    add("create in the directory of a group", Scene::shareDirectory, Scene::open, ALONE);
    add("create beside what a dead creator left", scene -> dieCreating(scene, false), Scene::open, ALONE, AFTER_DEATHS);
    add("open what a dead creator has linked", scene -> dieCreating(scene, true), Scene::open, AFTER_DEATHS);
    add("create, and lose against another creator", scene -> {
      scene.when = image -> image.hasHidden(SegmentLayout.HEADER_BYTES); // no lock is held while it is allocated and filled
      scene.meanwhile = scene::open;
    }, scene -> expect(SegmentExistsException.class, () -> Segment.create(scene.file(), Scene.SPEC)), ALONE);
    add("open what exists", Scene::open, Scene::open);
    add("open what differs", Scene::open, scene -> expect(SpecMismatchException.class, () ->
        Segment.open(scene.file(), SegmentSpec.of(Broadcast.spec(Scene.QUEUE, 8192)))));
    add("attach", Scene::open, scene -> Segment.attach(scene.file(), 0).close());
    add("attach to the slot that a stranger has left", scene -> {
      scene.open();
      scene.strangerLeft();
    }, scene -> Segment.attach(scene.file(), 0).close());
    add("attach to the slot of a dead one", Operations::dieWithEverything, Scene::open, AFTER_DEATHS);
    add("attach to what a dead remover left", Operations::dieRemoving, Scene::open, AFTER_DEATHS);
    add("observe and read", scene -> scene.published(20), scene -> {
      try (Segment observed = Segment.observe(scene.file());
          Subscriber subscriber = Subscriber.open(observed.directory().find(Scene.QUEUE).orElseThrow(),
              SubscriberOptions.skip().startingAtOldest())) {
        subscriber.poll(message -> {}, 10);
      }
    });
  }

  private static void dieCreating(Scene scene, boolean linked) {
    scene.dieDuring(() -> Segment.create(scene.file(), Scene.SPEC).close(), image ->
        image.hasHidden(0) && image.names().contains(Scene.SEGMENT) == linked);
  }

  private static void expect(Class<? extends BusException> failure, Runnable refused) {
    try {
      refused.run();
    } catch (BusException thrown) {
      if (thrown.getClass() == failure) {
        return;
      }
      throw thrown;
    }
    throw new AssertionError("it was not refused");
  }

  /** A segment whose publisher, with staged messages, and subscribers, one of them waiting, died at the same time. */
  private static void dieWithEverything(Scene scene) {
    scene.published(Scene.TURNS).stage(3);
    scene.open();
    scene.subscriber(SubscriberOptions.block().waiting(WaitPolicy.BLOCK));
    scene.waitForMessage(); // its bit stays
    scene.subscriber(SubscriberOptions.block().startingAtOldest());
    scene.open();
    scene.subscriber(SubscriberOptions.evictAfter(1_000_000).startingAtOldest());
    scene.die();
  }

  private static void dieRemoving(Scene scene) {
    scene.published(20);
    scene.publisher.close();
    Segment last = scene.segment;
    scene.dieDuring(last::close,
        image -> Owner.state(image.word(SegmentLayout.STATE_OFFSET)) == SegmentLayout.CLOSING
            && image.names().contains(Scene.SEGMENT));
  }

  private static void dieAdding(Scene scene) {
    scene.published(20);
    long row = SegmentLayout.rowsOffset(Scene.SLOTS) + SegmentLayout.ROW_BYTES;
    long before = Scene.SPEC.sizeBytes() - Scene.ADDED.sizeBytes();
    scene.dieDuring(() -> scene.segment.directory().findOrAdd(Scene.ADDED), image ->
        image.word(SegmentLayout.INTENT_OFFSET) != 0 && image.word(SegmentLayout.NEXT_FREE_OFFSET) != before
            && (image.word(row) & 0xFF) == SegmentLayout.ROW_ADDING);
  }

  private void adding() {
    add("add an entry", Scene::open, scene -> scene.segment.directory().findOrAdd(Scene.ADDED));
    add("add an entry after a dead adder", scene -> {
      dieAdding(scene);
      scene.open();
    }, scene -> scene.segment.directory().findOrAdd(Scene.ADDED), AFTER_DEATHS);
  }

  private void publishing() {
    add("take the publisher", scene -> {
      scene.open();
      scene.subscriber(SubscriberOptions.skip()); // as beside a living process, where the first role has been taken before
    }, Scene::publisher);
    add("take the publisher of a dead one", scene -> {
      scene.published(Scene.TURNS).stage(12);
      scene.die();
      scene.open();
    }, Scene::publisher, AFTER_DEATHS);
    add("claim and commit", scene -> scene.published(3), scene -> scene.publish(1));
    add("claim and commit in a ring that turned", scene -> scene.published(Scene.TURNS), scene -> scene.publish(1));
    add("offer", scene -> scene.published(Scene.TURNS), scene -> scene.offer(2));
    add("commit the longest", scene -> scene.published(15), scene -> scene.publish(1));
    add("commit as many as fill the ring", scene -> scene.published(Scene.TURNS), scene -> scene.publish(30));
    add("commit while messages stream", scene -> {
      scene.published(Scene.TURNS);
      Probe.stopClock(true);
    }, scene -> scene.publish(12));
    add("claim and abort", scene -> scene.published(Scene.TURNS), scene -> scene.claimed().abort());
    add("stage and publish", scene -> scene.published(Scene.TURNS), scene -> scene.stage(5).publishStaged());
    add("stage more than the ring holds", scene -> scene.published(Scene.TURNS), scene -> {
      scene.begun = scene.publisher.nextSequence() + 30; // published in between, since the room is needed
      scene.stage(30).publishStaged();
    }, SEVERAL);
    add("wrap with padding", scene -> scene.published(Scene.TURNS).publishUntilPadding(), scene -> scene.publish(2));
    add("abort behind padding", scene -> scene.published(Scene.TURNS).publishUntilPadding(), scene -> {
      scene.claimed().abort();
      scene.publish(1);
    });
    add("wrap in a batch", scene -> scene.published(Scene.TURNS).publishUntilPadding(),
        scene -> scene.stage(3).publishStaged());
    add("close a segment whose publisher has staged", scene -> scene.published(20).stage(3), scene -> {
      scene.begun = scene.publisher.nextSequence();
      scene.segment.close();
      scene.promised = scene.begun;
    });
    add("close a publisher that has staged", scene -> scene.published(20).stage(3), scene -> {
      scene.begun = scene.publisher.nextSequence();
      scene.publisher.close();
      scene.promised = scene.begun;
    });
    add("evict", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.evictAfter(1));
      scene.fill();
    }, scene -> {
      while (scene.publisher.tryClaim(1) == null) {
        Thread.onSpinWait();
      }
    });
    add("find no room", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block());
      scene.gate();
      scene.fill();
    }, Scene::waitForRoom);
    add("publish to one who waits", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block().waiting(WaitPolicy.BLOCK));
      scene.gate();
      scene.waitForMessage(); // its bit stays
    }, scene -> scene.publish(1));
  }

  private void joining() {
    join("block, next", SubscriberOptions.block());
    join("block, oldest", SubscriberOptions.block().startingAtOldest());
    join("skip, last 5", SubscriberOptions.skip().startingAtLast(5));
    join("skip, newest", SubscriberOptions.skip().resumingAtNewest());
    join("fail, a sequence", SubscriberOptions.fail().startingAt(Scene.TURNS - 4));
    join("evict, oldest", SubscriberOptions.evictAfter(1_000_000).startingAtOldest());
    add("join: refused, too early a sequence", scene -> scene.published(Scene.TURNS),
        scene -> expect(OverrunException.class, () -> scene.subscriber(SubscriberOptions.block().startingAt(1))));
  }

  private void join(String how, SubscriberOptions options) {
    add("join: " + how, scene -> scene.published(Scene.TURNS), scene -> scene.subscriber(options));
  }

  private void reading() {
    read("in place", SubscriberOptions.block(), true);
    read("a copy", SubscriberOptions.skip(), false);
    read("a copy, evictable", SubscriberOptions.evictAfter(1_000_000_000), true);
    add("poll: after an overrun", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.skip());
      scene.publish(Scene.TURNS);
    }, scene -> scene.poll());
    add("poll: overrun, and fail", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.fail());
      scene.publish(Scene.TURNS);
    }, scene -> expect(OverrunException.class, () -> scene.poll()));
    add("poll in vain after an eviction, and leave", Operations::evicted, scene -> {
      expect(EvictedException.class, () -> scene.poll());
      scene.subscriber.close();
    });
    add("poll: waiting", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block().waiting(WaitPolicy.BLOCK));
      scene.gate();
      scene.waitForMessage(); // the first time takes a new process longer
      scene.publish(1).poll();
    }, Scene::waitForMessage, PARKS);
    add("wait by the hub", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block());
      scene.gate();
    }, Scene::waitByTheHub);
    add("poll: room for a publisher that waits", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block());
      scene.gate();
      scene.waitForRoom(); // its bit stays
    }, scene -> scene.poll());
    add("leave", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block());
    }, scene -> scene.subscriber.close());
  }

  private static void evicted(Scene scene) {
    scene.published(20);
    scene.subscriber(SubscriberOptions.evictAfter(1));
    scene.fill();
    scene.publish(1);
  }

  private void read(String how, SubscriberOptions options, boolean gating) {
    add("poll: " + how, scene -> {
      scene.published(Scene.TURNS);
      scene.subscriber(options.startingAtOldest());
      if (gating) {
        scene.gate();
      }
    }, scene -> scene.poll());
  }

  private void revoking() {
    add("revoke a publisher that has staged", scene -> scene.published(20).stage(3), scene -> {
      scene.begun = scene.publisher.nextSequence();
      scene.publisher.revoke();
      scene.promised = scene.begun;
    });
    add("revoke a publisher that has a claim open, and abort that", scene -> scene.published(20).stage(3), scene -> {
      scene.begun = scene.publisher.nextSequence();
      Claim claim = scene.claimed();
      scene.publisher.revoke();
      claim.abort();
      scene.promised = scene.begun;
    });
    add("revoke a subscriber in its handler, while a publisher waits", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block());
      scene.waitForRoom(); // its bit stays
    }, scene -> scene.subscriber.poll(message -> scene.subscriber.revoke(), 1));
  }

  private void recovering() {
    add("recover", scene -> {
      dieWithEverything(scene);
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    add("recover from a dead one that waited", scene -> {
      scene.open();
      scene.open();
      scene.subscriber(SubscriberOptions.block().waiting(WaitPolicy.BLOCK));
      scene.waitForMessage(); // its bit stays
      scene.die();
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
      ((SegmentEntry) scene.queue()).region().setLongVolatile(SegmentLayout.STATE_OFFSET, removing);
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
      scene.published(20);
      scene.publisher.close();
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
      scene.published(20);
      scene.publisher.close();
      Segment closing = scene.segment;
      int[] leaving = new int[1]; // by the second step it has looked for others, and is about to lock the bus directory
      scene.when = image -> Owner.state(image.word(SLOTS)) == SegmentLayout.SLOT_LEAVING && ++leaving[0] == 2;
      scene.meanwhile = () -> {
        scene.open();
        scene.segment = closing;
      };
    }, scene -> scene.segment.close(), ALONE);
    add("close while others live", scene -> {
      scene.published(20);
      scene.open();
    }, scene -> scene.segment.close());
    add("close, then the roles", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block());
    }, scene -> {
      scene.segment.close();
      scene.subscriber.close();
      scene.publisher.close();
    }, ALONE);
  }
}
