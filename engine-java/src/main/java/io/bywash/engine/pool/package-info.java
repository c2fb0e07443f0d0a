/**
 * Pools: objects of one size that all processes share, each of which belongs to one user at a time.
 *
 * <pre>
 *                    capacity objects, found by handles
 *   PoolUser ----&gt; +---+---+---+---+---+---+---+---+ &lt;---- PoolView
 *    acquire       | A | A |   | B | A |   |   | B |        next, get: validated copies
 *    get, set      +---+---+---+---+---+---+---+---+        capacity, allocated
 *    release                 |           ^
 *    transfer                +-----------+
 *                              free ones
 * </pre>
 *
 * <p>A handle is one {@code long}, which fits an array, a record or a message. It names one use of one object: a handle
 * of an object that was released is refused for ever, even when somebody else has the object meanwhile. Any process may
 * be killed at any instruction: what it had acquired is free again as soon as somebody notices, and no object is lost.
 */
@Version("0.1.0")
package io.bywash.engine.pool;

import org.osgi.annotation.versioning.Version;
