package io.bywash.osgi;

import io.bywash.engine.call.CallClient;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.EndpointStatus;
import io.bywash.engine.call.Responder;
import org.osgi.annotation.versioning.ProviderType;

/**
 * An endpoint, to be called or answered for. Its owner is a living process that holds a role in it, a responder before
 * a caller, or, if there is none, its creator; so whoever uses it keeps it. A bundle that only wants to answer
 * registers a {@link CallResponder} instead.
 *
 * <p>A caller outlives responders: as long as there is none, calls fail with a
 * {@link io.bywash.engine.call.CallFailedException}, and go on when one comes.
 *
 * <p>Further property: {@value BywashConstants#DELIVERY}.
 */
@ProviderType
public interface EndpointService extends StructureService {
  @Override
  EndpointStatus status();

  /**
   * Takes a caller's role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link Caller#open}, or when the segment has gone
   */
  Caller caller();

  /**
   * A client for any number of threads, with a caller's role and a thread of its own. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link CallClient#open}, or when the segment has gone
   */
  CallClient client();

  /**
   * Takes a responder's role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link Responder#open}, or when the segment has gone
   */
  Responder responder();
}
