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
  /** What the responder has thrown in the current poll, and the engine throws on; null when nothing. */
  private Error error;

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
    } catch (Error failure) {
      if (failure != error) {
        throw failure;
      }
      return 1; // it is the responder's, and its caller was told
    } finally {
      error = null;
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
    if (!request.isOneWay()) { // nobody waits for the end of one that is
      tell(thrown);
    }
  }

  /** The engine aborts an open claim, and fails the call with what is thrown here. It throws on what is an error. */
  private void tell(Throwable thrown) throws Exception {
    if (thrown instanceof Exception exception) {
      throw exception;
    } else if (thrown instanceof Error own) {
      error = own;
      throw own;
    }
  }
}
