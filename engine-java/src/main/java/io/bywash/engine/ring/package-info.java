/**
 * Rings: one writer, one popper, and elements of one fixed size. Anybody may look at the newest elements.
 *
 * <pre>
 *                       popped         to be popped          pushed
 *                    +-----------+---------------------+--------------+
 *   RingWriter ------|           | head            tail|              |---&gt; RingPopper
 *    push            +-----------+---------------------+--------------+       pop
 *    pushOverwrite                          |--lastN--|                      popped + lost = head
 *                                            RingView
 * </pre>
 *
 * <p>{@code push} finds the ring full when the popper is too far behind; {@code pushOverwrite} drops the oldest
 * elements instead, and the popper counts exactly how many it lost. Any process may be killed at any instruction:
 * nothing torn is seen, the counts stay exact, and a successor goes on where the dead one stopped.
 */
@Version("0.1.0")
package io.bywash.engine.ring;

import org.osgi.annotation.versioning.Version;
