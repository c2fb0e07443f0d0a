package io.bywash.osgi.internal.kind;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.CallFailedException;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.call.ReplyClaim;
import io.bywash.engine.call.Responder;
import io.bywash.osgi.internal.queue.FeedingRole;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A feeding of an endpoint one of whose callers has written what no caller writes. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EndpointFeedingTest {
  private static final byte[] MARK = "a request".getBytes();

  @TempDir Path bus;

  private final List<RuntimeException> passed = new ArrayList<>();
  /** What each call has thrown. */
  private final List<String> ended = new ArrayList<>();

  /** The feeding goes on, and remembers what it passed by. */
  private final FeedingRole.Calls calls = new FeedingRole.Calls() {
    @Override
    public boolean begin(long nextSequence) {
      return true;
    }

    @Override
    public void end(Throwable thrown) {
      ended.add(String.valueOf(thrown));
    }

    @Override
    public void lost(long messageCount) {
      throw new AssertionError("an endpoint loses nothing");
    }

    @Override
    public void passedBy(RuntimeException damage) {
      passed.add(damage);
    }
  };

  /** Makes the extent of the request with that content impossible: the words before the bytes, as in docs/SPEC.md. */
  private void damage() throws Exception {
    try (FileChannel file = FileChannel.open(bus.resolve("calls"), StandardOpenOption.READ,
        StandardOpenOption.WRITE)) {
      ByteBuffer bytes = file.map(FileChannel.MapMode.READ_WRITE, 0, file.size()).order(ByteOrder.nativeOrder());
      int at = 0;
      while (!bytes.slice(at, MARK.length).equals(ByteBuffer.wrap(MARK))) {
        at += Long.BYTES;
      }
      bytes.putLong(at - 32, 1L << 60);
    }
  }

  @Test
  void aDamagedCallerIsPassedByAndTheOthersAreAnswered() throws Exception {
    try (Segment segment = Segment.create(bus.resolve("calls"), SegmentSpec.of(Endpoint.of("echo", 64, 64).spec()))) {
      Entry echo = segment.directory().find("echo", Kind.ENDPOINT);
      try (Caller damaged = Caller.open(echo); Caller sound = Caller.open(echo);
          Responder role = Responder.open(echo)) {
        EndpointFeeding feeding = new EndpointFeeding(role, request -> request.reply(request.toBytes()));
        damaged.send(MARK, 60_000_000_000L);
        damage();
        byte[] question = {1, 2, 3};
        Call call = sound.send(question, 60_000_000_000L);
        while (!call.isDone()) {
          feeding.poll(calls, 8);
        }
        assertArrayEquals(question, call.reply().toBytes());
        assertTrue(passed.size() == 1, passed.toString());
        assertEquals(List.of("null"), ended);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(classes = {IllegalArgumentException.class, AssertionError.class, LinkageError.class,
      InternalError.class})
  void whatAResponderThrowsWithAnOpenClaimReachesItsCallerAndTheNextCallIsAnswered(Class<? extends Throwable> type)
      throws Exception {
    Throwable thrownByResponder = type == AssertionError.class ? new AssertionError("thrown with a claim")
        : type.getConstructor(String.class).newInstance("thrown with a claim");
    try (Segment segment = Segment.create(bus.resolve("calls"), SegmentSpec.of(Endpoint.of("echo", 64, 64).spec()))) {
      Entry echo = segment.directory().find("echo", Kind.ENDPOINT);
      try (Caller caller = Caller.open(echo); Responder role = Responder.open(echo)) {
        EndpointFeeding feeding = new EndpointFeeding(role, request -> {
          ReplyClaim claim = request.claimReply(Long.BYTES);
          if (request.toBytes().length == 1) {
            throwIt(thrownByResponder);
          }
          claim.putLong(0, 7);
          claim.send();
        });
        Call thrown = caller.send(new byte[1], 60_000_000_000L);
        Call answered = caller.send(new byte[2], 60_000_000_000L);
        while (!thrown.isDone() || !answered.isDone()) {
          feeding.poll(calls, 8);
        }
        CallFailedException failed = assertThrows(CallFailedException.class, thrown::reply);
        assertEquals(List.of(type.getName(), "thrown with a claim"),
            List.of(failed.remoteType(), failed.remoteMessage()));
        assertEquals(7, answered.reply().getLong(0));
        assertEquals(List.of(type.getName() + ": thrown with a claim", "null"), ended);
      }
    }
  }

  private static void throwIt(Throwable thrown) throws Exception {
    if (thrown instanceof Error error) {
      throw error;
    }
    throw (Exception) thrown;
  }

  @Test
  void anErrorInAOneWayRequestEndsThatAndNothingElse() {
    try (Segment segment = Segment.create(bus.resolve("calls"), SegmentSpec.of(Endpoint.of("echo", 64, 64).spec()))) {
      Entry echo = segment.directory().find("echo", Kind.ENDPOINT);
      try (Caller caller = Caller.open(echo); Responder role = Responder.open(echo)) {
        EndpointFeeding feeding = new EndpointFeeding(role, request -> {
          if (request.isOneWay()) {
            throw new AssertionError("thrown");
          }
          request.reply(request.toBytes());
        });
        assertTrue(caller.sendOneWay(new byte[1]));
        Call answered = caller.send(new byte[2], 60_000_000_000L);
        while (!answered.isDone()) {
          feeding.poll(calls, 8);
        }
        assertEquals(2, answered.reply().length());
        assertEquals(List.of("java.lang.AssertionError: thrown", "null"), ended);
      }
    }
  }
}
