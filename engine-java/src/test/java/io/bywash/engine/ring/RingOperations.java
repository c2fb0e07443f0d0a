package io.bywash.engine.ring;

import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.PARKS;
import static io.bywash.engine.death.Trait.STORES_ONLY;
import static io.bywash.engine.ring.RingScene.CAPACITY;
import static io.bywash.engine.ring.RingScene.TURNS;

import io.bywash.engine.death.OperationList;
import io.bywash.engine.death.Trait;
import java.util.function.Consumer;

/** What processes die in that have a role in a ring. */
final class RingOperations {
  private final OperationList<RingScene> list;

  private RingOperations(OperationList<RingScene> list) {
    this.list = list;
  }

  static void addTo(OperationList<RingScene> list) {
    RingOperations operations = new RingOperations(list);
    operations.taking();
    operations.pushing();
    operations.popping();
    operations.afterDeaths();
    operations.ending();
  }

  private void add(String name, Consumer<RingScene> before, Consumer<RingScene> watched, Trait... traits) {
    list.add(name, before, watched, traits);
  }

  private void taking() {
    add("take the writer", RingScene::open, RingScene::writer);
    add("take the popper", scene -> scene.opened(TURNS).push(2).popper.close(), RingScene::popper);
  }

  private void pushing() {
    add("push", scene -> scene.opened(0), scene -> scene.push(1).push(1), STORES_ONLY);
    add("push a bulk", scene -> scene.opened(TURNS), scene -> scene.push(CAPACITY), STORES_ONLY);
    add("push bulks over the end of the places", scene -> scene.opened(0), scene -> {
      for (int i = 0; i < 4; i++) {
        scene.push(4).pop(4);
      }
    }, STORES_ONLY);
    add("push records", scene -> scene.opened(TURNS), scene -> scene.pushRecords(3), STORES_ONLY);
    add("push over the oldest", scene -> scene.opened(TURNS).push(CAPACITY),
        scene -> scene.overwrite(1).overwrite(2).overwrite(1), STORES_ONLY);
    add("push a bulk over all", scene -> scene.opened(TURNS).push(2), scene -> scene.overwrite(20), STORES_ONLY);
    add("find no room", scene -> scene.opened(TURNS), RingScene::waitForRoom, PARKS);
    add("push to one who waits", scene -> {
      scene.opened(TURNS).popper.close();
      scene.popperThatBlocks();
      scene.waitForElement(); // its bit stays
    }, scene -> scene.push(1));
  }

  private void popping() {
    add("pop", scene -> scene.opened(TURNS).push(3), scene -> {
      scene.pop(1);
      scene.pop(1);
    }, STORES_ONLY);
    add("pop a bulk", scene -> scene.opened(TURNS).push(4), scene -> scene.pop(3), STORES_ONLY);
    add("pop records", scene -> scene.opened(TURNS).push(4), scene -> scene.popRecords(3), STORES_ONLY);
    add("pop where elements were lost", scene -> scene.opened(TURNS).push(2).overwrite(7), scene -> scene.pop(2),
        STORES_ONLY);
    add("pop where elements were lost, again and again", scene -> scene.opened(0).overwrite(7), scene -> {
      scene.pop(2);
      scene.overwrite(6).pop(1);
      scene.overwrite(9).pop(5);
    }, STORES_ONLY);
    add("pop: room for a writer that waits", scene -> {
      scene.opened(TURNS);
      scene.waitForRoom(); // its bit stays
    }, scene -> scene.pop(1));
    add("pop: waiting", scene -> {
      scene.opened(TURNS).popper.close();
      scene.popperThatBlocks();
      scene.waitForElement(); // the first time takes a new process longer
      scene.push(1).drain();
    }, RingScene::waitForElement, PARKS);
    add("wait by the hub", scene -> scene.opened(TURNS), RingScene::waitByTheHub);
  }

  private void afterDeaths() {
    add("take the writer of one that died as it pushed", scene -> {
      scene.opened(TURNS).push(2);
      long tail = scene.word(RingLayout.TAIL);
      scene.dieDuring(() -> scene.overwrite(9), scene.offsetOf(RingLayout.TAIL), word -> word == tail);
      scene.expectNotPushed(9);
      scene.open();
    }, RingScene::writer, AFTER_DEATHS);
    add("take the popper of one that died as it counted what was lost", scene -> {
      scene.opened(TURNS).push(2).overwrite(7);
      long head = scene.word(RingLayout.HEAD);
      scene.dieDuring(() -> scene.pop(2), scene.offsetOf(RingLayout.HEAD), word -> word == head);
      scene.expectNotPopped(2);
      scene.open();
    }, RingScene::popper, AFTER_DEATHS);
    add("recover from a dead one that waited", scene -> {
      scene.opened(TURNS);
      scene.waitForRoom(); // its bit stays
      scene.die();
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
  }

  private void ending() {
    add("revoke a writer", scene -> scene.opened(TURNS).push(2), scene -> scene.writer.revoke());
    add("revoke a popper", scene -> scene.opened(TURNS).push(2), scene -> scene.popper.revoke());
    add("close, then the roles", scene -> scene.opened(TURNS).push(2), scene -> {
      scene.segment.close();
      scene.popper.close();
      scene.writer.close();
    });
  }
}
