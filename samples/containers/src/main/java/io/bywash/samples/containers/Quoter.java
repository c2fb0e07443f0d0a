package io.bywash.samples.containers;

import io.bywash.engine.record.Records;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.RecordResponder;
import io.bywash.samples.containers.Market.Order;
import io.bywash.samples.containers.Market.Price;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;

/** In the exchange: answers each call with a quote for an order. */
@Component(service = RecordResponder.class, immediate = true, configurationPid = Market.EXCHANGE,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    property = BywashConstants.QUEUE + "=" + Market.QUOTES)
public final class Quoter implements RecordResponder<Order, Price> {
  @Override
  public Records<Order> requests() {
    return Market.ORDER;
  }

  @Override
  public Records<Price> replies() {
    return Market.PRICE;
  }

  @Override
  public Price answer(Order order) {
    return Market.quote(order);
  }
}
