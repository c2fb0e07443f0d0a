/**
 * Work queues: many producers, many competing consumers, and each message goes to one of them.
 *
 * <pre>
 *   Producer --offer--&gt;  +---+---+---+---+  --take--&gt; Consumer --ack---&gt; done
 *   Producer --offer--&gt;  | cells of a lap |  --take--&gt; Consumer --died--&gt; the next one gets it
 *                        +---+---+---+---+  &lt;--give back-- Consumer
 * </pre>
 *
 * <p>Any process may be killed at any instruction. What was sent is delivered, nothing half-written is seen, and nobody
 * waits for the dead. A {@link io.bywash.engine.queue.DeliveryPolicy}, declared with the queue, says what happens to a
 * message whose consumer died.
 */
@Version("0.1.0")
package io.bywash.engine.queue;

import org.osgi.annotation.versioning.Version;
