package io.bywash.engine;

/**
 * A role that another thread than its user's can end. Implemented by the engine's roles only.
 *
 * {@snippet :
 * // in any thread: the subscriber's handler does not return, and a publisher in another process waits for it
 * subscriber.revoke();
 * }
 */
public interface Revocable extends AutoCloseable {
  /**
   * Takes the role away from its user, without waiting for the user. Any thread of this process may call this at any
   * time, including the user. Calling it again, or on a role that was given back, does nothing. As soon as this method
   * has returned:
   * <ul>
   * <li>The role holds nobody back. A publisher that waited for a subscriber goes on, even if that subscriber's handler
   *     is running and never returns. The message that such a handler reads in place may then change while it is read,
   *     but the handler never reads beyond the bytes of its message.
   * <li>Each operation that the user begins throws {@link SegmentClosedException}. An operation that waits ends at once
   *     with that exception, whatever its wait policy.
   * </ul>
   *
   * <p>If no operation is running and no claim is open, the role has now been given back, as by {@link #close}: staged
   * messages are published, and others may take the role. Otherwise the role is <em>quarantined</em>, because its user
   * may still write: nobody can take it, and whoever tries gets a {@link RoleTakenException} that says why. It is given
   * back when the operation ends, or when the open claim is aborted or committed (the commit fails), or at the latest
   * when the process ends. Until then it is listed as revoked.
   *
   * @throws DamagedSegmentException when the segment's file was truncated; the role is revoked all the same
   */
  void revoke();

  /**
   * Gives the role back like {@link #close}, on behalf of its user: now or, if an operation is running or a claim is
   * open, when that ends. Any thread of this process may call this at any time; calling it again does nothing. An
   * operation that is not waiting ends as usual, except that the commit of a claim fails. An operation that waits, and
   * each operation that begins after this method has returned, throws {@link SegmentClosedException}.
   *
   * <p>Unlike {@link #revoke}, this takes nothing away from a user that stays inside an operation: until then the role
   * holds others back as before.
   *
   * @throws DamagedSegmentException when the segment's file was truncated; the role is given back all the same
   */
  void retire();

  /**
   * Whether the role has been given back: it was closed or revoked, or its segment was closed, and its user is no
   * longer inside an operation. Any thread may call this.
   */
  boolean isGivenBack();

  /** Gives the role back. To be called by the role's user; calling it again does nothing. */
  @Override
  void close();
}
