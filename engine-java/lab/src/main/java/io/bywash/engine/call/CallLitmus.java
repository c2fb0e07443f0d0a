package io.bywash.engine.call;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** The words of a slot: {@link Caller} and {@link Responder} hand requests and replies to each other. */
public final class CallLitmus {
  /** Up to so much later one side begins. */
  private static final int DELAY_NANOS = 300;

  private static final Pool<LitmusCalls> CALLS = new Pool<>(LitmusCalls::new);

  private CallLitmus() {}

  /** A request that is taken as soon as its word is seen. */
  @JCStressTest
  @Description("[request] who sees the request word sees the request")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "not sent yet")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "sent, and whole")
  @Outcome(expect = FORBIDDEN, desc = "sent before it was written")
  @State
  public static class Sent {
    private final LitmusCalls calls = CALLS.take();
    private final long before = calls.requestWord();

    @Actor
    public void caller() {
      calls.send();
    }

    @Actor
    public void responder(I_Result result) {
      Meeting.spinUntil(() -> calls.requestWord() != before);
      Request request = calls.responder.receive();
      result.r1 = LitmusCalls.look(request);
      if (request != null) {
        request.reply(new byte[0]);
      }
    }

    @Arbiter
    public void afterwards() {
      calls.clear();
      CALLS.giveBack(calls);
    }
  }

  /** A reply that is taken as soon as its word is seen, and its slot used again. */
  @JCStressTest
  @Description("[reply] who sees the reply word sees the reply, and the request was read to its end")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "answered, and not seen yet")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "answered, and whole")
  @Outcome(expect = FORBIDDEN, desc = "the reply is torn, or the request was overwritten while it was read")
  @State
  public static class Answered {
    private final LitmusCalls calls = CALLS.take();
    private final Request request;
    private final long before;

    public Answered() {
      calls.send();
      request = calls.responder.receive();
      before = calls.replyWord();
    }

    @Actor
    public void responder(II_Result result) {
      result.r1 = LitmusCalls.answer(request);
    }

    @Actor
    public void caller(II_Result result) {
      Meeting.spinUntil(() -> calls.replyWord() != before);
      result.r2 = calls.finish();
      if (result.r2 != LitmusCalls.NOTHING) {
        calls.clearCall();
        calls.send(); // over the request that was answered
      }
    }

    @Arbiter
    public void afterwards() {
      calls.clear();
      CALLS.giveBack(calls);
    }
  }

  /** Two responders, and one request. */
  @JCStressTest
  @Description("[claim] a request comes to one responder")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the first one has it, whole")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the second one has it, whole")
  @Outcome(expect = FORBIDDEN, desc = "both have it, or none, or it is torn")
  @State
  public static class Claimed {
    private final LitmusCalls calls = CALLS.take();
    private final Meeting meeting = new Meeting();

    public Claimed() {
      calls.send();
    }

    @Actor
    public void one(II_Result result) {
      meeting.meetAndWait(DELAY_NANOS);
      result.r1 = take(calls.responder);
    }

    @Actor
    public void other(II_Result result) {
      meeting.meetAndWait(DELAY_NANOS);
      result.r2 = take(calls.other);
    }

    private static int take(Responder responder) {
      Request request = responder.receive();
      return request == null ? LitmusCalls.NOTHING : LitmusCalls.answer(request);
    }

    @Arbiter
    public void afterwards() {
      calls.clear();
      CALLS.giveBack(calls);
    }
  }

  /** A call that is cancelled while it is being taken; then its slot is used again, as soon as it is free. */
  @JCStressTest
  @Description("[claim] a slot is used again only when its responder has finished with it")
  @Outcome(id = "0, .*", expect = ACCEPTABLE, desc = "cancelled before it was taken")
  @Outcome(id = "1, .*", expect = ACCEPTABLE, desc = "answered before it was cancelled, and read whole")
  @Outcome(id = "3, .*", expect = ACCEPTABLE, desc = "read whole, and too late")
  @Outcome(expect = FORBIDDEN, desc = "overwritten while it was read")
  @State
  public static class Cancelled {
    private final LitmusCalls calls = CALLS.take();
    private final Meeting meeting = new Meeting();

    public Cancelled() {
      calls.send();
    }

    @Actor
    public void responder(II_Result result) {
      meeting.meetAndWait(DELAY_NANOS);
      Request request = calls.responder.receive();
      result.r1 = request == null ? LitmusCalls.NOTHING : LitmusCalls.answer(request);
    }

    @Actor
    public void caller(II_Result result) {
      meeting.meetAndWait(DELAY_NANOS);
      boolean cancelled = calls.cancel();
      calls.clearCall();
      Meeting.spinUntil(calls::send);
      result.r2 = cancelled ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      calls.clear();
      CALLS.giveBack(calls);
    }
  }
}
