package io.bywash.osgi.internal.kind;

import io.bywash.engine.Revocable;
import io.bywash.engine.call.DamagedRequestException;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.engine.wait.Waitable;
import io.bywash.osgi.CallResponder;
import io.bywash.osgi.internal.queue.FeedingRole;

/** The engine's responder behind one {@link CallResponder}. */
final class EndpointFeeding implements FeedingRole, Responder.Handler {
  private final Responder role;
  private final CallResponder responder;
  private Calls calls;

  EndpointFeeding(Responder role, CallResponder responder) {
    this.role = role;
    this.responder = responder;
  }

  @Override
  public Revocable revocable() {
    return role;
  }

  @Override
  public Waitable waitable() {
    return role;
  }

  @Override
  public int poll(Calls newCalls, int limit) {
    calls = newCalls;
    try {
      return role.poll(this, limit);
    } catch (DamagedRequestException damage) { // told once for each
      calls.passedBy(damage);
      return 1; // others may wait behind it
    }
  }

  @Override
  public void onRequest(Request request) throws Exception {
    if (!calls.begin(0)) {
      role.revoke(); // so another responder gets it, or its caller learns that this one has gone
      return;
    }
    Throwable thrown = null;
    try {
      responder.onRequest(request);
    } catch (Throwable failure) {
      thrown = failure;
    }
    calls.end(thrown);
    if (thrown instanceof Exception exception && !request.isOneWay()) {
      throw exception; // the engine aborts an open claim, and fails the call with it
    } else if (thrown != null) {
      fail(request, thrown); // the poll would throw it
    }
  }

  private static void fail(Request request, Throwable thrown) {
    try {
      request.fail(thrown);
    } catch (IllegalStateException before) {
      // the responder had answered it
    }
  }
}
