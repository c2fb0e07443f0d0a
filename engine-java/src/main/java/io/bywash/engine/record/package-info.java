/**
 * Typed messages: a Java record, or a Kotlin {@code @JvmRecord} class, becomes a fixed layout as a C compiler would
 * make it, and is written to shared memory and read from it by code that is generated for it once.
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
 * <p>Guarantees: a message is checked once, as a whole, and not for each component. Nothing is reflected once
 * {@link io.bywash.engine.record.Records#of Records.of} has returned, and writing records and reading single
 * {@link io.bywash.engine.record.Field fields} allocates nothing. Whatever bytes a message has, reading it gives a
 * record or a {@link io.bywash.engine.record.RecordFormatException}. The engine keeps nothing of a record class, which
 * goes with its class loader.
 */
@Version("0.1.0")
package io.bywash.engine.record;

import org.osgi.annotation.versioning.Version;
