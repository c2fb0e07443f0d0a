package io.bywash.osgi;

import io.bywash.engine.call.Request;
import io.bywash.engine.record.Records;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A {@link CallResponder} that answers records with records. Its service may be registered under either type. A request
 * that is no such record fails.
 *
 * @param <Q> the common type of the requests
 * @param <R> the common type of the replies
 */
@ConsumerType
public interface RecordResponder<Q, R> extends CallResponder {
  /** The records of requests; always the same object. */
  Records<Q> requests();

  /** The records of replies; always the same object. */
  Records<R> replies();

  /**
   * Called with each request; returns its reply.
   *
   * @throws Exception fails the call
   */
  R answer(Q request) throws Exception;

  @Override
  default void onRequest(Request request) throws Exception {
    request.reply(replies(), answer(requests().read(request)));
  }
}
