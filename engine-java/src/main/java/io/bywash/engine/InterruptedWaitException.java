package io.bywash.engine;

/**
 * A call that may wait ended because its thread was interrupted, before it began or while it waited. Nothing was taken,
 * sent or changed by it. The thread's interrupt flag is still set.
 *
 * <p>Only calls with a timeout greater than 0 look at the flag. So a loop ends as it should when its thread is
 * interrupted:
 * <pre>
 *   try {
 *     while (!closed) {
 *       subscriber.poll(handler, 256, 1_000_000_000L);
 *     }
 *   } catch (InterruptedWaitException stop) {
 *     // asked to end, for example by ExecutorService.shutdownNow
 *   }
 * </pre>
 */
public final class InterruptedWaitException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With this message. */
  public InterruptedWaitException(String message) {
    super(message);
  }
}
