package io.bywash.engine.queue;

import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.PARKS;
import static io.bywash.engine.death.Trait.STORES_ONLY;
import static io.bywash.engine.queue.JobScene.TURNS;

import io.bywash.engine.death.OperationList;
import io.bywash.engine.death.Trait;
import java.util.function.Consumer;

/** What processes die in that have a role in a work queue. */
final class JobOperations {
  private final OperationList<JobScene> list;

  private JobOperations(OperationList<JobScene> list) {
    this.list = list;
  }

  static void addTo(OperationList<JobScene> list) {
    JobOperations operations = new JobOperations(list);
    operations.taking();
    operations.sending();
    operations.receiving();
    operations.givingBack();
    operations.afterDeaths();
    operations.ending();
  }

  private void add(String name, Consumer<JobScene> before, Consumer<JobScene> watched, Trait... traits) {
    list.add(name, before, watched, traits);
  }

  private void taking() {
    add("take a producer", JobScene::open, JobScene::producer);
    add("take a consumer", scene -> scene.opened(TURNS).send(1), JobScene::consumer);
  }

  private void sending() {
    add("offer", scene -> scene.opened(0), scene -> scene.send(2), STORES_ONLY);
    add("offer in a later turn", scene -> scene.opened(TURNS), scene -> scene.send(2), STORES_ONLY);
    add("claim and commit", scene -> scene.opened(TURNS).send(1), scene -> scene.commit(scene.claimed()),
        STORES_ONLY);
    add("claim and abort", scene -> scene.opened(TURNS), scene -> scene.claimed().abort(), STORES_ONLY);
    add("stage and publish", scene -> scene.opened(TURNS), scene -> {
      scene.stage(scene.claimed());
      scene.stage(scene.claimed());
      scene.producer.publish();
    }, STORES_ONLY);
    add("find no room", scene -> scene.opened(TURNS).send(JobScene.CAPACITY), JobScene::waitForRoom, PARKS);
    add("offer to one who waits", scene -> {
      scene.opened(TURNS);
      scene.consumerThatBlocks();
      scene.waitForMessage(); // its bit stays
    }, scene -> scene.send(1));
  }

  private void receiving() {
    add("take and acknowledge", scene -> scene.opened(TURNS).send(2), scene -> {
      scene.taken();
      scene.ack();
    }, STORES_ONLY);
    add("poll", scene -> scene.opened(TURNS).send(3), scene -> scene.poll(10), STORES_ONLY);
    add("poll: room for a producer that waits", scene -> {
      scene.opened(TURNS);
      scene.waitForRoom(); // its bit stays
    }, scene -> scene.poll(1));
    add("poll: waiting", scene -> {
      scene.opened(TURNS);
      scene.consumerThatBlocks();
      scene.waitForMessage(); // the first time takes a new process longer
      scene.send(1).drain();
    }, JobScene::waitForMessage, PARKS);
    add("wait by the hub", scene -> scene.opened(TURNS), JobScene::waitByTheHub);
  }

  private void givingBack() {
    add("give back", scene -> {
      scene.opened(TURNS).send(2);
      scene.taken();
    }, JobScene::giveBack, STORES_ONLY);
    add("give back to a full queue", scene -> {
      scene.opened(TURNS).send(JobScene.CAPACITY);
      scene.taken();
      scene.send(1);
    }, scene -> {
      scene.giveBack();
      scene.taken();
      scene.ack();
    }, STORES_ONLY);
    add("throw in a handler", scene -> scene.opened(TURNS).send(2), JobScene::pollInVain, STORES_ONLY);
    add("give back too often", scene -> {
      scene.opened(TURNS).send(1);
      for (int i = 1; i < JobScene.LIMIT; i++) {
        scene.taken().giveBack();
      }
      scene.expectEnd(scene.taken().type());
    }, JobScene::giveBack, STORES_ONLY);
    add("give back to the dead letters", scene -> {
      scene.opened(TURNS).send(2);
      scene.consumerWithDeadLetters();
      scene.taken();
    }, scene -> {
      scene.expectEnd(scene.taken.type());
      scene.taken.giveBack();
    }, STORES_ONLY);
    add("return unseen", scene -> {
      scene.opened(TURNS).send(2);
      scene.taken();
    }, scene -> scene.taken.returnUnseen(), STORES_ONLY);
    add("close with a message in flight", scene -> {
      scene.opened(TURNS).send(2);
      scene.taken();
    }, scene -> scene.consumer.close());
  }

  private void afterDeaths() {
    add("take the producer of one that died as it sent", scene -> {
      scene.opened(TURNS);
      long at = scene.wordOf(0, QueueLayout.ROLE_AT);
      scene.dieDuring(() -> scene.send(1), at, word -> word != 0);
      scene.open();
    }, JobScene::producer, AFTER_DEATHS);
    add("take the producer of one that died before it sent", scene -> {
      scene.opened(TURNS);
      long cell = scene.wordOfCell(TURNS % JobScene.CAPACITY);
      long before = scene.word(cell);
      scene.dieDuring(() -> scene.send(1), cell, word -> word == before);
      scene.expectNothing(TURNS);
      scene.open();
    }, JobScene::producer, AFTER_DEATHS);
    add("adopt what one held that died", scene -> {
      scene.opened(TURNS).send(3);
      scene.taken();
      scene.die();
      scene.open();
      scene.consumer();
      scene.segment.recover();
    }, JobScene::drain, AFTER_DEATHS);
    add("adopt what one held that died as it took the next", scene -> {
      scene.opened(TURNS).send(3);
      long at = scene.wordOf(1, QueueLayout.ROLE_AT);
      scene.dieDuring(() -> scene.poll(2), at, word -> word != 0);
      scene.expectAgain(TURNS + 1);
      scene.open();
      scene.consumer();
      scene.segment.recover();
    }, JobScene::drain, AFTER_DEATHS);
    add("adopt, and give back", scene -> {
      scene.opened(TURNS).send(2);
      scene.taken();
      scene.die();
      scene.open();
      scene.consumer();
      scene.segment.recover();
    }, scene -> {
      scene.taken();
      scene.giveBack();
    }, AFTER_DEATHS);
    add("adopt what was delivered too often", scene -> {
      scene.opened(TURNS).send(2);
      for (int i = 1; i < JobScene.LIMIT; i++) {
        scene.taken().giveBack();
        scene.taken().giveBack();
      }
      scene.expectEnd(scene.taken().type());
      scene.expectEnd(scene.taken.type() + 1); // if whoever gets it now dies too
      scene.die();
      scene.open();
      scene.consumer();
      scene.segment.recover();
    }, JobScene::drain, AFTER_DEATHS);
    add("adopt a dead letter", scene -> {
      scene.opened(TURNS).send(2);
      scene.expectEnd(scene.taken().type());
      scene.die();
      scene.open();
      scene.consumerWithDeadLetters();
      scene.segment.recover();
    }, JobScene::drain, AFTER_DEATHS);
  }

  private void ending() {
    add("revoke a producer that has a claim open, and abort that", scene -> scene.opened(TURNS), scene -> {
      QueueClaim claim = scene.claimed();
      scene.producer.revoke();
      claim.abort();
    });
    add("revoke a consumer in its handler", scene -> scene.opened(TURNS).send(2), scene -> {
      scene.expectEnd(TURNS);
      scene.consumer.poll(message -> scene.consumer.revoke(), 1);
    });
    add("recover from a dead one that waited", scene -> {
      scene.opened(TURNS);
      scene.consumerThatBlocks();
      scene.waitForMessage(); // its bit stays
      scene.die();
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    add("recover from one that held a message", scene -> {
      scene.opened(TURNS).send(2);
      scene.taken();
      scene.die();
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    add("close, then the roles", scene -> {
      scene.opened(TURNS).send(2);
      scene.taken();
    }, scene -> {
      scene.segment.close();
      scene.consumer.close();
      scene.producer.close();
    });
  }
}
