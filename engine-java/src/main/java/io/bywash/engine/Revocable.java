package io.bywash.engine;

/**
 * A role that somebody else than its user can end. Implemented by the engine's roles only.
 *
 * <pre>{@code
 *   // in any thread: the reader's handler does not return, and a publisher in another process waits for it
 *   subscriber.revoke();
 * }</pre>
 */
public interface Revocable extends AutoCloseable {
  /**
   * Takes the role from its user, without waiting for that. Any thread of this process may call it at any time, also
   * the user itself; once is enough, and a role that was given back stays so. From the return of this method on:
   * <ul>
   * <li>The role holds nobody back. A publisher that waited for a subscriber goes on, also if that subscriber's
   *     handler is being called and never returns. What such a handler reads in place may then change under it; it
   *     never reads beyond its message's bytes.
   * <li>Each operation that the user begins throws {@link SegmentClosedException}. One that waits ends at once with
   *     that exception, in whatever way it waits.
   * </ul>
   *
   * <p>If no operation is under way, and no claim is open, the role has been given back by then, as by {@link #close}:
   * what was staged is published, and others may take the role. Otherwise the role is <em>quarantined</em>: it is given
   * back when that operation ends, or the claim is committed, which fails, or aborted. Until then nobody else can take
   * it, since its user may still write: who tries gets {@link RoleTakenException} with a sentence on that. It is listed
   * as revoked, and ends with the process at the latest.
   *
   * @throws DamagedSegmentException when the segment's file was cut; the role is revoked all the same
   */
  void revoke();

  /**
   * Gives the role back like {@link #close}, on behalf of its user: now or, if an operation is under way or a claim is
   * open, at the end of that. Any thread of this process may call it at any time; once is enough. An operation that is
   * not waiting ends as usual, but for the commit of a claim, which fails. One that waits, and each one that begins
   * after the return of this method, throws {@link SegmentClosedException}.
   *
   * <p>Unlike {@link #revoke} it takes nothing from a user who does not come out: such a role holds others back as
   * before.
   *
   * @throws DamagedSegmentException when the segment's file was cut; the role is given back all the same
   */
  void retire();

  /**
   * Whether the role was given back: its user has closed it, or it was revoked or its segment was closed, and its
   * user is not inside any more. Any thread may ask.
   */
  boolean isGivenBack();

  /** Gives the role back. Called by its user; once is enough. */
  @Override
  void close();
}
