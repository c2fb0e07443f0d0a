package io.bywash.samples.containers;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.samples.containers.Market.Order;
import io.bywash.samples.containers.Market.Price;
import io.bywash.samples.kit.Programs;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The plain JVM: starts both containers, sends orders, looks at prices, kills the exchange and adds up. */
public final class Containers implements AutoCloseable {
  private static final String HELP = """
      usage: bywash containers [OPTION...]

      Two OSGi containers and this plain JVM. The exchange publishes prices and quotes for orders; the desk shows the
      prices, and fills the orders that this process sends, each with a call to the exchange. They find each other by
      services and names only. Halfway the exchange is killed: orders wait, nothing is lost, and all goes on when it is
      back.

        --seconds SECONDS    how long it takes about, 2 to 600 (default: 10)
        --json               what was counted as one line on the standard output, everything else on the standard error
        --sabotage drop      the desk acknowledges an order that it has not filled: that is noticed
        --help               this text

      Ends with 0 if everything was as it should be, with 1 if not, with 2 if it was called wrongly.""";
  private static final String SEGMENT = Programs.segmentOf("containers");
  private static final long ORDER_PAUSE_NANOS = 5_000_000;
  private static final long SHOW_NANOS = 500_000_000;

  private final Path distribution = Path.of(System.getProperty("bywash.container"));
  private final Path home;
  private final Path bundle;
  private final PrintStream view;
  private final Running desk;
  private Running exchange;
  private final Segment segment;
  private final Subscriber subscriber;
  private final Producer producer;
  private long sent;
  private long seen;
  private long lost;
  private long nextNanos = System.nanoTime();
  private long shownNanos;

  private Containers(PrintStream view, Path home, String sabotage) throws IOException {
    this.home = home;
    this.view = view;
    bundle = Path.of(System.getProperty("bywash.containers.bundle"));
    exchange = start("exchange", Market.EXCHANGE, "");
    desk = start("desk", Market.DESK, sabotage);
    Programs.await("the exchange has built the segment", this::isThere);
    segment = Segment.attach(SEGMENT, 0);
    subscriber = Subscriber.open(segment.directory().find(Market.PRICES, Kind.BROADCAST),
        SubscriberOptions.block().startingAtOldest());
    producer = Producer.open(segment.directory().find(Market.ORDERS, Kind.WORK_QUEUE));
  }

  private boolean isThere() {
    try {
      Segment.observe(SEGMENT).close();
      return true;
    } catch (SegmentNotFoundException notYet) {
      return false;
    }
  }

  private Running start(String name, String pid, String sabotage) throws IOException {
    Running started = Programs.start(() -> Running.start(distribution, bundle,
        home.resolve(name + "-" + System.nanoTime()), pid, Market.configuration(SEGMENT, sabotage)));
    view.println("the " + name + " is process " + started.pid());
    return started;
  }

  private Outcome run(long seconds) throws IOException, InterruptedException {
    Programs.await("the desk fills orders", () -> work() && desk.count("filled") > 0 && desk.count("prices") > 0);
    workFor(seconds / 2.0);
    exchange.kill();
    view.println("the exchange was killed");
    Programs.await("calls fail", () -> work() && failed() > 0);
    long before = desk.count("filled");
    long seenBefore = seen;
    exchange = start("exchange", Market.EXCHANGE, "");
    Programs.await("orders are filled and prices come again",
        () -> work() && desk.count("filled") > before && seen > seenBefore);
    view.println("the exchange is back");
    workFor(seconds / 2.0);

    Programs.await("no order waits", () -> look() && !ordersWait());
    exchange.stop();
    long published = BroadcastStatus.of(segment.directory().find(Market.PRICES, Kind.BROADCAST)).messageCount();
    Programs.await("all prices are seen", () -> look() && seen + lost >= published && shown() >= published);
    desk.stop();
    return new Outcome(published, desk.count("prices"), seen, lost + desk.count("lostPrices")
        + desk.count("wrongPrices"), sent, desk.count("filled"), desk.count("filledTwice") + desk.count("wrongQuotes"),
        failed(), desk.count("filled") - before);
  }

  private boolean ordersWait() {
    QueueStatus status = QueueStatus.of(segment.directory().find(Market.ORDERS, Kind.WORK_QUEUE));
    return status.readyCount() + status.heldCount() + status.leftCount() > 0;
  }

  private long shown() {
    return desk.count("prices") + desk.count("lostPrices") + desk.count("wrongPrices");
  }

  /** In whatever way calls can fail. */
  private long failed() {
    return Stream.of("NO_RESPONDER", "RESPONDER_GONE", "TIMED_OUT").mapToLong(desk::count).sum();
  }

  private void workFor(double seconds) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < seconds * 1e9) {
      work();
    }
  }

  /** Sends an order when it is time for one, unless too many wait, and looks at the prices that are there. */
  private boolean work() {
    if (System.nanoTime() - nextNanos >= 0 && producer.offer(Market.ORDER, new Order(sent, 1 + sent % 9))) {
      sent++;
      nextNanos = System.nanoTime() + ORDER_PAUSE_NANOS;
    }
    return look();
  }

  private boolean look() {
    for (Price price = subscriber.poll(Market.PRICE); price != null; price = subscriber.poll(Market.PRICE)) {
      if (price.number() == seen + lost) {
        seen++;
      } else {
        lost++;
      }
    }
    if (System.nanoTime() - shownNanos > SHOW_NANOS) {
      shownNanos = System.nanoTime();
      view.printf("  prices %,7d seen here, %,7d on the desk   orders %,5d sent, %,5d filled, %,3d calls failed  %s%n",
          seen, desk.count("prices"), sent, desk.count("filled"), failed(), bar(sent - desk.count("filled")));
    }
    LockSupport.parkNanos(ORDER_PAUSE_NANOS / 5);
    return true;
  }

  /** Orders that wait. */
  private static String bar(long waiting) {
    return "#".repeat((int) Math.min(Math.max(waiting, 0), 40));
  }

  @Override
  public void close() {
    producer.close();
    subscriber.close();
    segment.close();
  }

  /** Starts it. */
  public static void main(String... arguments) throws Exception {
    List<String> options = Programs.options(HELP, arguments);
    boolean json = options.remove("--json");
    long seconds;
    String sabotage;
    try {
      seconds = Long.parseLong(Programs.take(options, "--seconds", "", "10", "[2-9]|[1-9][0-9]|[1-5][0-9][0-9]|600"));
      sabotage = Programs.take(options, "--sabotage", "", "none", "none|drop");
      Programs.requireNoMore(options);
    } catch (IllegalArgumentException wrong) {
      Programs.endWrongly("containers", wrong);
      return;
    }
    Path home = Files.createTempDirectory("bywash-containers-");
    Programs.leaveNothing(SEGMENT, home);
    Outcome outcome;
    try (Containers all = new Containers(json ? System.err : System.out, home, sabotage)) {
      outcome = all.run(seconds);
    }
    (json ? System.err : System.out).println(outcome.isOk() ? "ok: nothing was lost, and every order was filled once"
        : "NOT ok: " + outcome);
    Programs.end(json, outcome.toJson(), outcome.isOk());
  }
}
