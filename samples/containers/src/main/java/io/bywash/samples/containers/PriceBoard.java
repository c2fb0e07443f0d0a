package io.bywash.samples.containers;

import io.bywash.engine.record.Records;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.RecordListener;
import io.bywash.samples.containers.Market.Price;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;

/** In the desk: is fed with the prices, whoever publishes them, and checks that none is missing. */
@Component(service = RecordListener.class, immediate = true, configurationPid = Market.DESK,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    property = BywashConstants.QUEUE + "=" + Market.PRICES)
public final class PriceBoard implements RecordListener<Price> {
  private final Tally tally = Tally.start();
  private long next;

  @Override
  public Records<Price> records() {
    return Market.PRICE;
  }

  @Override
  public void onRecord(Price price) {
    tally.add(price.number() == next && price.cents() == price.number() % 1000 ? "prices" : "wrongPrices");
    next = price.number() + 1;
  }

  @Override
  public void onLost(long messageCount) {
    tally.add("lostPrices", messageCount);
    next += messageCount;
  }

  @Deactivate
  void stop() {
    tally.stop();
  }
}
