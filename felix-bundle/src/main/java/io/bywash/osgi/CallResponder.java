package io.bywash.osgi;

import io.bywash.engine.call.Request;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Answers the calls of an endpoint. A bundle registers it as a service; it gets requests as soon as both the service
 * and the endpoint exist, whichever comes first. Responders share the work, over all processes; each has one request at
 * a time. For several workers, register several.
 *
 * <p>Service properties: {@value BywashConstants#SEGMENT} and {@value BywashConstants#QUEUE}, mandatory;
 * {@value BywashConstants#DIRECTORY} as for a {@link QueueListener}, which also tells by which threads it is called,
 * how its calls end, and how those that cannot be fed are listed.
 *
 * <p>If it throws, or returns without an answer, the call fails with
 * {@link io.bywash.engine.call.CallFailedException.Reason#HANDLER_FAILED}; what it throws is logged as well. A call
 * that is still under way two seconds after its bundle stopped or its service was unregistered loses its request: that
 * fails with {@link io.bywash.engine.call.CallFailedException.Reason#RESPONDER_GONE}, or another responder gets it.
 */
@ConsumerType
@FunctionalInterface
public interface CallResponder {
  /**
   * Called with each request, which it answers.
   *
   * @param request valid only during this call
   * @throws Exception fails the call
   */
  void onRequest(Request request) throws Exception;
}
