package io.bywash.samples.containers;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.record.Records;
import io.bywash.osgi.BywashConstants;
import java.lang.invoke.MethodHandles;
import java.util.List;

/** What the three processes have in common: a topic of prices, a queue of orders, and an endpoint to ask for quotes. */
final class Market {
  static final String PRICES = "prices";
  static final String ORDERS = "orders";
  static final String QUOTES = "quotes";

  /**
   * A component with one of these is there where there is such a configuration, so in one of the containers. The
   * configuration also names the segment, which is another one for each run.
   */
  static final String EXCHANGE = "io.bywash.samples.containers.exchange";
  static final String DESK = "io.bywash.samples.containers.desk";

  /** Nothing fits: the configuration says which service it is. */
  static final String CONFIGURED = "(!(objectClass=*))";

  /** The key of the desk's configuration for what it does wrong on purpose. */
  static final String SABOTAGE = "sabotage";

  /** A price, or a quote. */
  record Price(long number, long cents) {}

  /** An order, or a request for a quote for it. */
  record Order(long number, long amount) {}

  static final Records<Price> PRICE = Records.of(MethodHandles.lookup(), Price.class);
  static final Records<Order> ORDER = Records.of(MethodHandles.lookup(), Order.class);

  private static final List<EntrySpec> ENTRIES = List.of(PRICE.declare(Broadcast.spec(PRICES, 1 << 16, 8)),
      ORDER.declare(WorkQueue.spec(ORDERS, 256, 64)), Endpoint.of(QUOTES, 64, 64).spec());

  static final SegmentSpec SPEC = SegmentSpec.of(ENTRIES);

  private Market() {}

  /** The configuration of all components of a container, as its file has it. */
  static String configuration(String segment, String sabotage) {
    return SABOTAGE + " = " + sabotage + "\n" + BywashConstants.SEGMENT + " = " + segment + "\n"
        + target(segment, PRICES) + target(segment, QUOTES);
  }

  private static String target(String segment, String entry) {
    return entry + ".target = (&(" + BywashConstants.SEGMENT + "=" + segment + ")(" + BywashConstants.QUEUE + "="
        + entry + "))\n";
  }

  /** The only right quote for an order. */
  static Price quote(Order order) {
    return new Price(order.number(), 100 + order.number() % 900 * order.amount());
  }
}
