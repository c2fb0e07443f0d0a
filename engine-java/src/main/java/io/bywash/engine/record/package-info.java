/**
 * Typed messages. A Java record, or a Kotlin {@code @JvmRecord} class, gets the fixed layout that a C compiler would
 * give it. Code that is generated once for the class writes it to shared memory and reads it back.
 *
 * <pre>
 *   record Tick(long time, double price, &#64;Length(8) String symbol) {}
 *
 *    0               8               16              24
 *   +---------------+---------------+---------------+
 *   |     time      |     price     |    symbol     |
 *   +---------------+---------------+---------------+
 *
 *   static final Records&lt;Tick&gt; TICKS = Records.of(lookup(), Tick.class);
 *
 *   publisher.offer(TICKS, new Tick(now, 3.5, "ABC"));
 *   subscriber.poll(TICKS, tick -&gt; total += tick.price(), 100);
 * </pre>
 *
 * <p>A message is checked once as a whole, not for each component. No reflection is used after
 * {@link io.bywash.engine.record.Records#of Records.of} has returned. Writing records, and reading single
 * {@link io.bywash.engine.record.Field fields}, allocates nothing. Whatever bytes a message has, reading it returns a
 * record or throws a {@link io.bywash.engine.record.RecordFormatException}. The engine keeps no reference to a record
 * class, so it can be unloaded with its class loader.
 */
@Version("0.1.0")
package io.bywash.engine.record;

import org.osgi.annotation.versioning.Version;
