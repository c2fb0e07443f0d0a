package io.bywash.engine;

/**
 * A call that may wait ended because its thread was interrupted, either before the call or while it waited. The call
 * took, sent and changed nothing, except that a request which waits for its reply was cancelled: its handler may have
 * run. The thread's interrupt flag is still set.
 *
 * <p>Only calls with a timeout greater than 0 check the flag. A loop that polls with a timeout therefore ends when its
 * thread is interrupted:
 *
 * {@snippet :
 * try {
 *   while (!closed) {
 *     subscriber.poll(handler, 256, 1_000_000_000L);
 *   }
 * } catch (InterruptedWaitException stop) {
 *   // asked to stop, for example by ExecutorService.shutdownNow
 * }
 * }
 */
public final class InterruptedWaitException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception with this message. */
  public InterruptedWaitException(String message) {
    super(message);
  }
}
