package io.bywash.samples.calls;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.call.CallServer;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.samples.calls.Traffic.Figures;
import io.bywash.samples.calls.Traffic.Order;
import io.bywash.samples.calls.Traffic.Report;
import java.util.Scanner;

/**
 * Answers the host's calls, each in one of its workers, and calls the host itself when it is ordered to. An order is
 * answered after the calls were made: a request can be answered at any time.
 */
final class Guest {
  /** How many of its calls are in flight at one time. */
  static final int IN_FLIGHT = 32;

  private Guest() {}

  /** Arguments: segment, number of workers, sabotage. */
  public static void main(String[] arguments) {
    boolean drops = arguments[2].equals("drop");
    Thread.ofPlatform().daemon().start(() -> {
      if (!new Scanner(System.in).hasNext()) {
        Runtime.getRuntime().halt(1); // the host was killed
      }
    });
    Answering answering = new Answering(arguments[2].equals("corrupt"));
    try (Segment segment = Segment.attach(arguments[0], SECONDS.toNanos(10));
        CallServer _ = CallServer.start(segment.directory().find("guest", Kind.ENDPOINT), answering,
            Integer.parseInt(arguments[1]));
        Calling host = new Calling(segment.directory().find("host", Kind.ENDPOINT));
        Responder orders = Responder.open(segment.directory().find("orders", Kind.ENDPOINT))) {
      long nextId = 0;
      boolean isOver = false;
      while (!isOver) {
        Request request = orders.receive(SECONDS.toNanos(1));
        if (request != null && Traffic.CONTROL.read(request) instanceof Order order) {
          Figures figures = host.call(nextId, Math.max(order.calls() - (drops ? 1 : 0), 0), IN_FLIGHT);
          nextId += order.calls();
          isOver = order.isLast();
          request.reply(Traffic.CONTROL, new Report(answering.received(), answering.intact(), figures));
        }
      }
    }
  }
}
