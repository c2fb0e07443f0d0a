package io.bywash.engine.process;

import io.bywash.engine.Entry;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import java.lang.invoke.MethodHandles;
import java.util.function.UnaryOperator;

/** Sends records through a queue; a class loader of its own has this, and with it the record class. */
public final class RecordUser implements UnaryOperator<Object> {
  private enum Side { BUY, SELL }

  private record Trade(long time, Side side, @Length(8) String symbol) {}

  private static final Records<Trade> TRADES = Records.of(MethodHandles.lookup(), Trade.class);

  @Override
  public Object apply(Object entry) {
    try (Publisher publisher = Publisher.open((Entry) entry); Subscriber subscriber = Subscriber.open((Entry) entry)) {
      Trade trade = new Trade(1, Side.SELL, "ABC");
      if (!publisher.offer(TRADES, trade) || !publisher.offer(TRADES, trade)) {
        throw new AssertionError("there is no room");
      }
      Trade[] received = new Trade[1];
      subscriber.poll(TRADES, each -> received[0] = each, 1);
      return isSame(trade, received[0]) && isSame(trade, subscriber.poll(TRADES)) ? "sent" : "lost";
    }
  }

  /** A record's own {@code equals} would do, but for a cache of the JDK that keeps its class for as long as it can. */
  private static boolean isSame(Trade one, Trade other) {
    return one.time == other.time && one.side == other.side && one.symbol.equals(other.symbol);
  }
}
