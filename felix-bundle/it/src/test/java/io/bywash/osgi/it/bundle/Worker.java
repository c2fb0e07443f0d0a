package io.bywash.osgi.it.bundle;

import io.bywash.engine.call.ReplyClaim;
import io.bywash.engine.call.Request;
import io.bywash.engine.queue.Delivery;
import io.bywash.osgi.CallResponder;
import io.bywash.osgi.WorkQueueConsumer;
import java.util.function.LongUnaryOperator;

/** Has {@code work} done with the number in each message or request; the result is the reply. */
public final class Worker implements WorkQueueConsumer, CallResponder {
  private final LongUnaryOperator work;

  public Worker(LongUnaryOperator work) {
    this.work = work;
  }

  @Override
  public void onMessage(Delivery message) {
    work.applyAsLong(message.getLong(0));
  }

  @Override
  public void onRequest(Request request) {
    long result = work.applyAsLong(request.getLong(0));
    try (ReplyClaim reply = request.claimReply(Long.BYTES)) {
      reply.putLong(0, result);
      reply.send();
    }
  }
}
