package io.bywash.osgi.it.bundle;

import io.bywash.engine.BusException;
import io.bywash.engine.call.CallFailedException;
import io.bywash.engine.call.Caller;
import io.bywash.osgi.EndpointService;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.LongFunction;

/** Calls the endpoint of one service with the number given, and says how that ended. */
public final class EndpointUser implements LongFunction<String> {
  private static final long TIMEOUT_NANOS = 2_000_000_000L;

  private final Caller caller;

  public EndpointUser(Object service) {
    caller = ((EndpointService) service).caller();
    caller.failFast(true);
  }

  @Override
  public String apply(long number) {
    try {
      byte[] request = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
      return "answered " + caller.call(request, TIMEOUT_NANOS).getLong(0);
    } catch (CallFailedException failed) {
      return "failed " + failed.reason();
    } catch (BusException ended) {
      return "ended " + ended;
    }
  }
}
