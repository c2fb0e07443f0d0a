package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastScene.TURNS;
import static io.bywash.engine.death.Scene.expect;
import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.ALONE;
import static io.bywash.engine.death.Trait.PARKS;
import static io.bywash.engine.death.Trait.STORES_ONLY;

import io.bywash.engine.Claim;
import io.bywash.engine.EvictedException;
import io.bywash.engine.OverrunException;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.death.Probe;
import io.bywash.engine.death.Trait;
import io.bywash.engine.wait.WaitPolicy;
import java.util.function.Consumer;

/** What processes die in that have a role in a broadcast. */
final class BroadcastOperations {
  private final OperationList<BroadcastScene> list;

  private BroadcastOperations(OperationList<BroadcastScene> list) {
    this.list = list;
  }

  static void addTo(OperationList<BroadcastScene> list) {
    BroadcastOperations operations = new BroadcastOperations(list);
    operations.publishing();
    operations.joining();
    operations.reading();
    operations.revoking();
    operations.leaving();
  }

  private void add(String name, Consumer<BroadcastScene> before, Consumer<BroadcastScene> watched, Trait... traits) {
    list.add(name, before, watched, traits);
  }

  private void publishing() {
    add("take the publisher", scene -> {
      scene.open();
      // As beside a living process, where the first role has been taken before.
      scene.subscriber(SubscriberOptions.skip());
    }, BroadcastScene::publisher);
    add("take the publisher of a dead one", scene -> {
      scene.published(TURNS).stage(12);
      scene.die();
      scene.open();
    }, BroadcastScene::publisher, AFTER_DEATHS);
    add("claim and commit", scene -> scene.published(3), scene -> scene.publish(1));
    add("claim and commit in a ring that turned", scene -> scene.published(TURNS), scene -> scene.publish(1),
        STORES_ONLY);
    add("offer", scene -> scene.published(TURNS), scene -> scene.offer(2));
    add("offer a record", scene -> scene.published(Letters.FIRST_RECORD), BroadcastScene::offerRecord, STORES_ONLY);
    add("commit the longest", scene -> scene.published(15), scene -> scene.publish(1), STORES_ONLY);
    add("commit as many as fill the ring", scene -> scene.published(TURNS), scene -> scene.publish(30), STORES_ONLY);
    add("commit while messages stream", scene -> {
      scene.published(TURNS);
      Probe.stopClock(true);
    }, scene -> scene.publish(12), STORES_ONLY);
    add("claim and abort", scene -> scene.published(TURNS), scene -> scene.claimed().abort(), STORES_ONLY);
    add("stage and publish", scene -> scene.published(TURNS), scene -> scene.stage(5).publishStaged());
    add("stage more than the ring holds", scene -> {
      scene.published(TURNS);
      scene.expectSeveral();
    }, scene -> {
      scene.begun = scene.publisher.nextSequence() + 30; // published in between, since the room is needed
      scene.stage(30).publishStaged();
    }, STORES_ONLY);
    add("wrap with padding", scene -> scene.published(TURNS).publishUntilPadding(), scene -> scene.publish(2),
        STORES_ONLY);
    add("abort behind padding", scene -> scene.published(TURNS).publishUntilPadding(), scene -> {
      scene.claimed().abort();
      scene.publish(1);
    }, STORES_ONLY);
    add("wrap in a batch", scene -> scene.published(TURNS).publishUntilPadding(),
        scene -> scene.stage(3).publishStaged(), STORES_ONLY);
    add("close a segment whose publisher has staged", scene -> scene.published(20).stage(3), scene -> {
      scene.publishStaged(scene.segment::close);
    });
    add("close a publisher that has staged", scene -> scene.published(20).stage(3), scene -> {
      scene.publishStaged(scene.publisher::close);
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
    }, BroadcastScene::waitForRoom);
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
    join("fail, a sequence", SubscriberOptions.fail().startingAt(TURNS - 4));
    join("evict, oldest", SubscriberOptions.evictAfter(1_000_000).startingAtOldest());
    add("join: refused, too early a sequence", scene -> scene.published(TURNS),
        scene -> expect(OverrunException.class, () -> scene.subscriber(SubscriberOptions.block().startingAt(1))));
  }

  private void join(String how, SubscriberOptions options) {
    add("join: " + how, scene -> scene.published(TURNS), scene -> scene.subscriber(options));
  }

  private void reading() {
    read("in place", SubscriberOptions.block(), true);
    read("a copy", SubscriberOptions.skip(), false);
    read("a copy, evictable", SubscriberOptions.evictAfter(1_000_000_000), true);
    add("poll: after an overrun", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.skip());
      scene.publish(TURNS);
    }, scene -> scene.poll());
    add("poll: overrun, and fail", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.fail());
      scene.publish(TURNS);
    }, scene -> expect(OverrunException.class, () -> scene.poll()));
    add("poll in vain after an eviction, and leave", BroadcastOperations::evicted, scene -> {
      expect(EvictedException.class, () -> scene.poll());
      scene.subscriber.close();
    });
    add("poll: waiting", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block().waiting(WaitPolicy.BLOCK));
      scene.gate();
      scene.waitForMessage(); // the first time takes a new process longer
      scene.publish(1).poll();
    }, BroadcastScene::waitForMessage, PARKS);
    add("wait by the hub", scene -> {
      scene.published(20);
      scene.subscriber(SubscriberOptions.block());
      scene.gate();
    }, BroadcastScene::waitByTheHub);
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

  private static void evicted(BroadcastScene scene) {
    scene.published(20);
    scene.subscriber(SubscriberOptions.evictAfter(1));
    scene.fill();
    scene.publish(1);
  }

  private void read(String how, SubscriberOptions options, boolean gating) {
    add("poll: " + how, scene -> {
      scene.published(TURNS);
      scene.subscriber(options.startingAtOldest());
      if (gating) {
        scene.gate();
      }
    }, scene -> scene.poll());
  }

  private void revoking() {
    add("revoke a publisher that has staged", scene -> scene.published(20).stage(3),
        scene -> scene.publishStaged(scene.publisher::revoke));
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

  private void leaving() {
    add("recover from a dead one that waited", scene -> {
      scene.open();
      scene.open();
      scene.subscriber(SubscriberOptions.block().waiting(WaitPolicy.BLOCK));
      scene.waitForMessage(); // its bit stays
      scene.die();
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
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
