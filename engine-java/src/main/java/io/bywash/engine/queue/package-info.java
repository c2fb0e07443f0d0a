/**
 * Work for whoever is free: many producers, many competing consumers, each message to one of them.
 *
 * <pre>
 *   Producer --offer--&gt;  +---+---+---+---+  --take--&gt; Consumer --ack---&gt; done
 *   Producer --offer--&gt;  | cells of a lap |  --take--&gt; Consumer --died--&gt; the next one gets it
 *                        +---+---+---+---+  &lt;--give back-- Consumer
 * </pre>
 *
 * <p>Any process may be killed at any instruction: what was sent is delivered, nothing half-written is seen, and nobody
 * waits for the dead. What becomes of a message whose consumer died is declared with the queue, by a
 * {@link io.bywash.engine.queue.DeliveryPolicy}.
 */
@Version("0.1.0")
package io.bywash.engine.queue;

import org.osgi.annotation.versioning.Version;
