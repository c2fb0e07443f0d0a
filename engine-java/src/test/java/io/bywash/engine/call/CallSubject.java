package io.bywash.engine.call;

import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.PARKS;
import static io.bywash.engine.death.Trait.STORES_ONLY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.call.CallScene.Marks;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The endpoint, to the suites that go through all kinds of structures. */
public final class CallSubject implements Subject, DeathSubject<CallScene> {
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  /** Numbers that newcomers send; those of the dead are smaller. */
  private static final int NEW = 1_000;

  @Override
  public String name() {
    return "calls";
  }

  @Override
  public String toString() {
    return name();
  }

  @Override
  public List<Layout> layouts() {
    return List.of(new Layout("io.bywash.engine.call.CallLayout", List.of(), layout -> 384L, List.of(),
        List.of("ROLE_REQUESTS", "ROLE_MISSED", "ROLE_ELIDED", "ROLE_RUNG", "ROLE_LATENCY", "ROLE_ANSWERED")));
  }

  @Override
  public DeathSubject<?> death() {
    return this;
  }

  @Override
  public DamageSubject damage() {
    return new CallDamage();
  }

  private static Endpoint endpoint(String name) {
    return Endpoint.of(name, CallScene.MAX_BYTES, CallScene.MAX_BYTES).callers(CallScene.CALLERS)
        .slots(CallScene.SLOTS).responders(CallScene.RESPONDERS);
  }

  @Override
  public EntrySpec spec(String name) {
    return endpoint(name).redelivers().spec();
  }

  @Override
  public EntrySpec added(String name) {
    return Endpoint.of(name, 8, 8).callers(1).slots(1).responders(1).spec();
  }

  @Override
  public EntrySpec differing(String name) {
    return endpoint(name).spec();
  }

  @Override
  public CallScene scene(Path bus) {
    return new CallScene(bus, this);
  }

  @Override
  public void operations(OperationList<CallScene> list) {
    list.add("take a caller", CallScene::open, scene -> scene.caller(WaitPolicy.BACKOFF));
    list.add("take a responder", CallScene::open, scene -> scene.responder(WaitPolicy.BACKOFF));
    list.add("call", scene -> scene.opened(1), scene -> scene.call().call(), STORES_ONLY);
    list.add("call with records", scene -> scene.opened(0), scene -> scene.sendRecord().take().answerRecord().finish(),
        STORES_ONLY);
    list.add("call with claims", scene -> scene.opened(0), scene -> scene.sendClaim().take().answerClaim().finish(),
        STORES_ONLY);
    list.add("have two calls in flight, and answer the second first", scene -> scene.opened(1), scene -> {
      scene.send().send().take().take();
      scene.taken.add(scene.taken.remove());
      scene.answer();
      scene.answer();
      scene.sent.add(scene.sent.remove());
      scene.finish().finish();
    }, STORES_ONLY);
    list.add("fail a call", scene -> scene.opened(1), scene -> scene.send().take().fail().finish(), STORES_ONLY);
    list.add("time out", scene -> scene.opened(1), scene -> scene.timeOut().call(), STORES_ONLY);
    list.add("cancel before and after the request was taken, and answer too late", scene -> scene.opened(1), scene -> {
      scene.send().cancel();
      scene.send().take().cancel();
      scene.answer();
      scene.call();
    }, STORES_ONLY);
    list.add("skip a slot that is still in use", scene -> scene.opened(0).send().take().cancel(), scene -> {
      scene.send();
      scene.taken.add(scene.taken.remove());
      scene.take();
      scene.taken.add(scene.taken.remove());
      scene.answer();
      scene.finish().send().take();
      scene.answer();
    }, STORES_ONLY);
    list.add("send one way", scene -> scene.opened(1), scene -> scene.sendOneWay().sendOneWay().take().take(),
        STORES_ONLY);
    list.add("handle calls and one-way requests", scene -> scene.opened(1).send().sendOneWay(), CallScene::poll);
    list.add("send for one who waits", scene -> {
      scene.opened(1);
      scene.responder(WaitPolicy.BLOCK);
      scene.waitForRequest(); // its bit stays
    }, CallScene::send);
    list.add("answer one who waits", scene -> {
      scene.opened(1);
      scene.caller(WaitPolicy.BLOCK);
      scene.send().waitForReply(); // its bit stays
      scene.take();
    }, CallScene::answer);
    list.add("wait for a reply", scene -> {
      scene.opened(0);
      scene.caller(WaitPolicy.BLOCK);
      scene.send().waitForReply();
    }, CallScene::waitForReply, PARKS);
    list.add("call in vain", scene -> scene.opened(1), CallScene::callInVain, STORES_ONLY);
    list.add("wait for a slot", scene -> {
      scene.opened(0);
      scene.caller(WaitPolicy.BLOCK);
      scene.send().send().waitForSlot();
    }, CallScene::waitForSlot, PARKS);
    list.add("wait for a request", scene -> {
      scene.opened(1);
      scene.responder(WaitPolicy.BLOCK);
      scene.waitForRequest();
    }, CallScene::waitForRequest, PARKS);
    list.add("close a caller with calls in flight", scene -> scene.opened(1).send().take().send(),
        scene -> scene.caller.close());
    list.add("close a responder that has a request", scene -> scene.opened(1).send().take(),
        scene -> scene.responder.close());
    list.add("take the caller of one that died with calls in flight", scene -> {
      scene.opened(1).send().take().send();
      scene.die();
      scene.open();
    }, scene -> {
      scene.caller(WaitPolicy.BACKOFF);
      scene.responder(WaitPolicy.BACKOFF);
      scene.call();
    }, AFTER_DEATHS);
    list.add("take the request that a responder left", scene -> {
      scene.opened(1).send().take().responder.close();
      scene.taken.clear();
      scene.responder(WaitPolicy.BACKOFF);
    }, scene -> {
      scene.take().answer();
      scene.finish();
    });
    list.add("revoke a responder in its handler", scene -> scene.opened(1).send(),
        scene -> scene.responder.poll(request -> scene.responder.revoke(), 1));
  }

  @Override
  public List<String> unreached() {
    return List.of("call.RecordBytes.read:"); // to memory of this process alone
  }

  @Override
  public Examination examination(List<Long> marks) {
    return new Autopsy(Marks.of(marks));
  }

  /** The living look at an endpoint that somebody used who died. */
  private static final class Autopsy implements Examination {
    private final Marks marks;

    Autopsy(Marks marks) {
      this.marks = marks;
    }

    @Override
    public void observe(Entry entry) {
      EndpointStatus status = EndpointStatus.of(entry);
      assertTrue(status.sentCount() <= Long.bitCount(marks.begun()), status + ", " + marks);
    }

    @Override
    public void use(Entry entry) {
      takeLeft(entry, marks);
      work(entry);
      allRoles(entry);
    }

    @Override
    public void useAdded(Entry entry) {
      work(entry);
    }
  }

  /** Takes what the dead left: no request but theirs, whole, none that had an end, and none twice. */
  private static void takeLeft(Entry entry, Marks marks) {
    long seen = 0;
    try (Responder responder = Responder.open(entry)) {
      for (Request request; (request = responder.receive()) != null; ) {
        long bit = request.type() < 64 ? 1L << request.type() : 0;
        if (request.type() < NEW) {
          assertTrue((marks.begun() & bit) != 0, "request " + request.type() + " was not sent: " + marks);
          assertTrue((marks.ended() & bit) == 0, "request " + request.type() + " had an end: " + marks);
          assertTrue((seen & bit) == 0, "request " + request.type() + " comes twice");
          seen |= bit;
          assertTrue(CallScene.isOf(request, request.type()), "request " + request.type() + " is torn");
        }
        request.fail("of the dead");
      }
    }
  }

  /** A caller and a responder that do their work, whoever else is dead here. */
  private static void work(Entry entry) {
    try (Caller caller = Caller.open(entry); Responder responder = Responder.open(entry)) {
      for (Request request; (request = responder.receive()) != null; ) {
        request.fail("of the dead");
      }
      int free = 0;
      List<Call> calls = new ArrayList<>();
      for (Call call; free <= 2 && (call = send(caller, NEW + free)) != null; free++) {
        calls.add(call);
      }
      assertTrue(free > 0, "no slot is free");
      for (int i = 0; i < free; i++) {
        Request request = responder.receive();
        assertNotNull(request, "request " + i + " does not come");
        assertEquals(NEW + i, request.type());
        assertEquals(NEW + i, request.getLong(0));
        assertTrue(request.reply(new byte[] {(byte) i, 7}, 0, 2, request.type()));
      }
      for (int i = 0; i < free; i++) {
        assertEquals(calls.get(i), caller.await(PATIENCE_NANOS));
        assertEquals(NEW + i, calls.get(i).reply().type());
        assertEquals(i, calls.get(i).reply().getByte(0));
        calls.get(i).close();
      }
    }
  }

  private static Call send(Caller caller, int number) {
    RequestClaim claim = caller.claim(8, number);
    if (claim == null) {
      return null;
    }
    claim.putLong(0, number);
    return claim.send(PATIENCE_NANOS);
  }

  private static void allRoles(Entry entry) {
    List<AutoCloseable> all = new ArrayList<>();
    try {
      for (int i = 0; i < CallScene.CALLERS; i++) {
        all.add(Caller.open(entry));
      }
      for (int i = 0; i < CallScene.RESPONDERS; i++) {
        all.add(Responder.open(entry));
      }
    } finally {
      for (AutoCloseable each : all) {
        try {
          each.close();
        } catch (Exception failure) {
          throw new AssertionError(failure);
        }
      }
    }
  }

  @Override
  public void useWhileOthersAreBuried(Entry entry) {
    try (Caller caller = Caller.open(entry)) {
      assertFalse(caller.maxRequestBytes() == 0);
      Call call = caller.send(new byte[8], PATIENCE_NANOS);
      if (call != null) {
        assertTrue(call.cancel() || call.isDone());
      }
    }
  }

  @Override
  public Companion companion(Entry entry) {
    return new Beside(entry, Responder.open(entry));
  }

  /** A responder beside those who die; it takes nothing from them. */
  private record Beside(Entry entry, Responder responder) implements Companion {
    @Override
    public void live() {
      responder.isReady();
    }

    @Override
    public void takeOver(List<Long> marks) {
      EndpointStatus.of(entry);
      Marks known = Marks.of(marks);
      for (Request request; (request = responder.receive()) != null; ) {
        long bit = 1L << request.type();
        assertTrue((known.begun() & bit) != 0 && (known.ended() & bit) == 0,
            "request " + request.type() + ": " + known);
        request.fail("of the dead");
      }
      try (Caller caller = Caller.open(entry)) {
        Call call = send(caller, NEW);
        assertNotNull(call, "no slot is free");
        Request request = responder.receive();
        assertNotNull(request);
        assertEquals(NEW, request.type());
        assertTrue(request.reply(new byte[0], 0, 0, 9));
        assertEquals(9, call.reply().type());
      }
    }

    @Override
    public void close() {
      responder.close();
    }
  }
}
