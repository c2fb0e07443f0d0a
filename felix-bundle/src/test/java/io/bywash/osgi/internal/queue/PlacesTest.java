package io.bywash.osgi.internal.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Where two listeners go on that take turns at one queue. */
class PlacesTest {
  private final Subscriptions subscriptions = new Subscriptions(null, new Log(() -> null));
  private final Places one = new Places(subscriptions);
  private final Places other = new Places(subscriptions);

  @Test
  void aNamedSubscriptionGoesOnWhereItsLastListenerWas() {
    Subscriptions.Key key = new Subscriptions.Key("audit", 1, "ticks/1");
    one.end(key, 5);
    assertEquals(OptionalLong.of(5), other.next(key));
    other.end(key, 9);
    assertEquals(OptionalLong.of(9), one.next(key));
  }

  @Test
  void withoutANameEachListenerGoesOnWhereItWasItself() {
    Subscriptions.Key key = new Subscriptions.Key("", 1, "ticks/1");
    one.end(key, 5);
    assertEquals(OptionalLong.empty(), other.next(key));
    other.end(key, 9);
    assertEquals(OptionalLong.of(5), one.next(key));
  }
}
