package io.bywash.engine.call;

import io.bywash.engine.BusException;

/** A call got no reply. {@link #reason} says why, and so whether a handler may have run. */
public final class CallFailedException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Why a call got no reply. */
  public enum Reason {
    /**
     * There was no reply in time. A handler may have run, or may still run; its reply will be too late. If no slot was
     * free in time, nothing was sent, and the message says so.
     */
    TIMED_OUT,
    /** The caller cancelled the call, or closed its role. A handler may have run. */
    CANCELLED,
    /** Nobody answers for the endpoint, and the caller does not wait for somebody. No handler has run. */
    NO_RESPONDER,
    /** The responder that had taken the request died, or gave its role back, without a reply. */
    RESPONDER_GONE,
    /** The handler failed, or the responder refused the request; the message says how. */
    HANDLER_FAILED
  }

  private final Reason reason;
  private final String remoteType;
  private final String remoteMessage;

  CallFailedException(Reason reason, String message) {
    this(reason, message, "", "");
  }

  CallFailedException(Reason reason, String message, String remoteType, String remoteMessage) {
    super(message);
    this.reason = reason;
    this.remoteType = remoteType;
    this.remoteMessage = remoteMessage;
  }

  /** Why the call got no reply. */
  public Reason reason() {
    return reason;
  }

  /**
   * The name of the class of what the handler threw; empty when it was refused without an exception, and for all other
   * reasons than {@link Reason#HANDLER_FAILED}.
   */
  public String remoteType() {
    return remoteType;
  }

  /** The message of what the handler threw, or what the responder said, cut off if it is too long for a reply. */
  public String remoteMessage() {
    return remoteMessage;
  }
}
