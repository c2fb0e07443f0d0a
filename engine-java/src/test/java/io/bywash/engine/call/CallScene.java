package io.bywash.engine.call;

import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.death.Scene;
import io.bywash.engine.record.Records;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** A segment with an endpoint, roles in it, and what was promised about each request. */
final class CallScene extends Scene {
  static final int CALLERS = 2;
  static final int SLOTS = 2;
  /** One of them is for who lives beside those who die. */
  static final int RESPONDERS = 3;
  static final int MAX_BYTES = 40;
  /** Calls that use each slot more than twice. */
  static final int TURNS = 5;
  private static final long WAIT_NANOS = 40_000_000;

  /** A request or reply of eight bytes. */
  record Question(long number) {}

  static final Records<Question> QUESTIONS = Records.of(MethodHandles.lookup(), Question.class);

  Caller caller;
  Responder responder;
  final Deque<Call> sent = new ArrayDeque<>();
  final Deque<Request> taken = new ArrayDeque<>();

  // Bits of requests, by their numbers, which are their types.
  private long begun;
  private long ended;
  private int next;

  CallScene(Path bus, DeathSubject<?> subject) {
    super(bus, subject);
  }

  /**
   * What the marks say, by bits for requests.
   *
   * @param begun may have been sent
   * @param ended were certainly answered or given up, so that nobody is to handle them again
   */
  record Marks(long begun, long ended) {
    static Marks of(List<Long> marks) {
      return new Marks(marks.get(0), marks.get(1));
    }
  }

  @Override
  protected List<Long> marks() {
    return List.of(begun, ended);
  }

  @Override
  protected void use() {
    opened(TURNS).send().take();
  }

  @Override
  protected void leave() {
    responder.close();
    caller.close();
  }

  /** Claims that are open, requests that wait, that were taken, or given up after that, and those who wait. */
  @Override
  protected void holdEverything() {
    opened(1);
    send().take().send().take();
    sent.peek().cancel();
    taken.peek().claimReply(8);
    open();
    caller(WaitPolicy.BLOCK);
    send();
    waitForReply(); // its bit stays
    open();
    responder(WaitPolicy.BACKOFF);
  }

  @Override
  protected void observe(Entry entry) {
    EndpointStatus.of(entry);
  }

  @Override
  protected void forget() {
    caller = null;
    responder = null;
    sent.clear();
    taken.clear();
  }

  Caller caller(WaitPolicy policy) {
    return caller = keep(Caller.open(entry(), policy));
  }

  Responder responder(WaitPolicy policy) {
    return responder = keep(Responder.open(entry(), policy));
  }

  /** Opens the segment, a caller and a responder, and has so many calls made. */
  CallScene opened(int count) {
    open();
    caller(WaitPolicy.BACKOFF);
    responder(WaitPolicy.BACKOFF);
    for (int i = 0; i < count; i++) {
      call();
    }
    return this;
  }

  static byte[] content(long number) {
    byte[] bytes = new byte[8 + (int) (number * 7 % (MAX_BYTES - 7))];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i < 8 ? number >>> 8 * i : number + i);
    }
    return bytes;
  }

  /** Whether a message is the one of that number. */
  static boolean isOf(Message message, long number) {
    return java.util.Arrays.equals(content(number), message.toBytes()) || message.length() == 8
        && message.getLong(0) == number;
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  private void began() {
    begun |= 1L << next;
  }

  private void ended(long number) {
    ended |= 1L << number;
  }

  CallScene send() {
    return send(PATIENCE_NANOS);
  }

  CallScene send(long timeoutNanos) {
    began();
    byte[] bytes = content(next);
    Call call = caller.send(bytes, 0, bytes.length, next++, timeoutNanos);
    check(call != null, "no slot is free");
    sent.add(call);
    return this;
  }

  CallScene sendRecord() {
    began();
    sent.add(caller.send(QUESTIONS, new Question(next++), PATIENCE_NANOS));
    return this;
  }

  /** Sends a claim, of which the end is filled. */
  CallScene sendClaim() {
    began();
    RequestClaim claim = caller.claim(MAX_BYTES, next);
    claim.putLong(MAX_BYTES - 9, next++);
    sent.add(claim.trim(MAX_BYTES - 9, 8).send(PATIENCE_NANOS));
    return this;
  }

  CallScene sendOneWay() {
    began();
    RequestClaim claim = caller.claim(8, next);
    check(claim != null, "no slot is free");
    claim.putLong(0, next++).commit();
    return this;
  }

  CallScene take() {
    Request request = responder.receive();
    check(request != null, "there is no request");
    taken.add(request);
    return this;
  }

  /** Answers the request that was taken first; whether that was in time. */
  boolean answer() {
    Request request = taken.remove();
    boolean answered = request.reply(content(request.type()), 0, content(request.type()).length, request.type());
    ended(request.type());
    return answered;
  }

  CallScene answerRecord() {
    Request request = taken.remove();
    request.reply(QUESTIONS, new Question(request.type()));
    ended(request.type());
    return this;
  }

  CallScene answerClaim() {
    Request request = taken.remove();
    ReplyClaim claim = request.claimReply(MAX_BYTES, request.type());
    claim.putLong(16, request.type());
    claim.trim(16, 8).send();
    ended(request.type());
    return this;
  }

  CallScene fail() {
    Request request = taken.remove();
    request.fail("no answer");
    ended(request.type());
    return this;
  }

  /** Takes the reply of the first call, and closes it. */
  CallScene finish() {
    Call call = sent.remove();
    check(call.isDone(), "it has no reply");
    check(caller.poll() == call, "it is not the call that is done first");
    if (call.failure() == null) {
      check(isOf(call.reply(), call.reply().type()), "its reply is another one");
    }
    call.close();
    return this;
  }

  /** A call, and its reply. */
  CallScene call() {
    send().take();
    check(answer(), "it is too late");
    return finish();
  }

  /** Gives up the first call, which has no reply. */
  CallScene cancel() {
    check(sent.peek().cancel(), "it was answered");
    return finish();
  }

  CallScene timeOut() {
    send(1);
    check(caller.poll() != null && sent.peek().failure() == Reason.TIMED_OUT, "it did not time out");
    sent.remove().close();
    ended(next - 1);
    return this;
  }

  /** A blocking call that nobody answers. */
  void callInVain() {
    began();
    byte[] bytes = content(next);
    try {
      caller.call(bytes, 0, bytes.length, next++, 1);
      throw new AssertionError("it was answered");
    } catch (CallFailedException expected) {
      check(expected.reason() == Reason.TIMED_OUT, expected.getMessage());
      ended(next - 1);
    }
  }

  /** A handler that answers what is there. */
  void poll() {
    responder.poll(request -> {
      int type = request.type();
      request.reply(content(type), 0, content(type).length, type);
      ended(type);
    }, 10);
  }

  /** Waits in vain until the caller has announced itself, which then stays. */
  void waitForReply() {
    waitUntilAnnounced(caller, () -> caller.await(WAIT_NANOS));
  }

  void waitForRequest() {
    waitUntilAnnounced(responder, () -> responder.receive(WAIT_NANOS));
  }

  /** Waits in vain for a slot. */
  void waitForSlot() {
    waitUntilAnnounced(caller, () -> {
      try {
        caller.call(content(0), WAIT_NANOS);
        throw new AssertionError("a slot was free");
      } catch (CallFailedException expected) {
        check(expected.reason() == Reason.TIMED_OUT, expected.getMessage());
      }
    });
  }
}
