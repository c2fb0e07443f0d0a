package io.bywash.samples.containers;

import io.bywash.engine.call.CallFailedException;
import io.bywash.engine.call.Caller;
import io.bywash.engine.record.Records;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.EndpointService;
import io.bywash.osgi.RecordConsumer;
import io.bywash.samples.containers.Market.Order;
import io.bywash.samples.containers.Market.Price;
import java.util.BitSet;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * In the desk: fills orders, for each of which it calls the other container. While nobody answers there, it gives its
 * order back.
 */
@Component(service = RecordConsumer.class, immediate = true, configurationPid = Market.DESK,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    property = BywashConstants.QUEUE + "=" + Market.ORDERS)
public final class Clerk implements RecordConsumer<Order> {
  private static final long TIMEOUT_NANOS = 1_000_000_000;

  private final Tally tally = Tally.start();
  private final BitSet filled = new BitSet();
  private final Caller caller;
  private final boolean drops;

  /** Called by Declarative Services. */
  @Activate
  public Clerk(@Reference(name = Market.QUOTES, target = Market.CONFIGURED) EndpointService quotes,
      Map<String, Object> configuration) {
    caller = quotes.caller();
    drops = "drop".equals(configuration.get(Market.SABOTAGE));
  }

  @Override
  public Records<Order> records() {
    return Market.ORDER;
  }

  @Override
  public void onRecord(Order order) {
    Price quote;
    try {
      quote = Market.PRICE.read(caller.call(Market.ORDER, order, TIMEOUT_NANOS));
    } catch (CallFailedException failed) {
      tally.add(failed.reason().name());
      throw failed; // the order comes again
    }
    if (drops && order.number() == 1) {
      return;
    }
    tally.add(!quote.equals(Market.quote(order)) ? "wrongQuotes" : filled.get((int) order.number()) ? "filledTwice"
        : "filled");
    filled.set((int) order.number());
  }

  @Deactivate
  void stop() {
    caller.close();
    tally.stop();
  }
}
