package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;
import org.osgi.framework.FrameworkUtil;

/**
 * A container in a process of its own, which says a number when it is ready. As {@code responder} it configures an
 * endpoint, and a bundle of it answers with twice the number; as {@code caller} a bundle of it calls, from then on once
 * in {@value #PAUSE_MILLIS} ms, and says how each call ended.
 */
final class ContainerProgram {
  private static final int PAUSE_MILLIS = 10;

  private ContainerProgram() {}

  /** Arguments: the framework, the bus directory, what to be. */
  public static void main(String... arguments) throws Exception {
    Path bus = Path.of(arguments[1]);
    Container container = Container.start(arguments[0]);
    update(container, "getConfiguration", DISCOVERY_PID, Map.of(DIRECTORY, bus.toString()));
    if (arguments[2].equals("responder")) {
      respond(container, bus);
    } else {
      call(container);
    }
  }

  private static void update(Container container, String get, String pid, Map<String, Object> keys) throws Exception {
    Object admin = container.await("org.osgi.service.cm.ConfigurationAdmin");
    Object configuration = get.startsWith("getFactory") ? Container.call(admin, get, pid, "calls", "?")
        : Container.call(admin, get, pid, "?");
    Container.call(configuration, "update", FrameworkUtil.asDictionary(keys));
  }

  private static void respond(Container container, Path bus) throws Exception {
    Map<String, Object> place = Map.of(SEGMENT, "calls", QUEUE, "double");
    Map<String, Object> keys = new HashMap<>(place);
    keys.put(DIRECTORY, bus.toString());
    update(container, "getFactoryConfiguration", ENDPOINT_PID, keys);
    LongUnaryOperator twice = number -> 2 * number;
    container.register("io.bywash.osgi.CallResponder", container.create("Worker", twice), place);
    System.out.println(0);
    System.in.read();
  }

  @SuppressWarnings("unchecked") // JDK types are the same in all bundles
  private static void call(Container container) throws Exception {
    Object service = container.testContext().getService(Container.await("the endpoint",
        () -> container.find("io.bywash.osgi.EndpointService", ContainerFixture.filter("calls", "double"))));
    LongFunction<String> user = (LongFunction<String>) container.create("EndpointUser", service);
    System.out.println(0);
    for (long number = 0; !isOver(); number++) {
      System.out.println(number + " " + user.apply(number));
      Thread.sleep(PAUSE_MILLIS);
    }
  }

  private static boolean isOver() throws IOException {
    return System.in.available() > 0;
  }
}
