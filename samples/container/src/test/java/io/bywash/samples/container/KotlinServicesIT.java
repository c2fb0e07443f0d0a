package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Directory;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.call.Responder;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.record.Records;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Coroutines that a bundle makes of another process's structures, by {@code io.bywash.bus.osgi}. */
final class KotlinServicesIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final Records<Tick> TICKS = Records.of(MethodHandles.lookup(), Tick.class);

  /** Listens to ticks, hands jobs on as what is done, doubles what is asked, and has something tripled. */
  private static final String BUNDLE = """
      package coroutines;

      import static io.bywash.bus.osgi.ServicesKt.*;

      import io.bywash.bus.*;
      import io.bywash.bus.broadcast.ReceiverOptions;
      import io.bywash.bus.call.Caller;
      import io.bywash.engine.record.Records;
      import io.bywash.osgi.*;
      import java.lang.invoke.MethodHandles;
      import java.lang.reflect.Method;
      import java.util.stream.Stream;
      import kotlin.Unit;
      import kotlin.coroutines.*;
      import kotlin.jvm.functions.Function2;
      import kotlin.time.*;
      import kotlinx.coroutines.*;
      import org.osgi.service.component.annotations.*;

      @RequireBywash
      public class Coroutines {
        record Tick(long number) {}

        static final Codec<Tick> TICKS = RecordCodecKt.recordCodec(Records.of(MethodHandles.lookup(), Tick.class));

        private static void start(String name, Function2<CoroutineScope, Continuation<? super Unit>, Object> body) {
          BuildersKt.launch(GlobalScope.INSTANCE, Dispatchers.getDefault(), CoroutineStart.DEFAULT, body)
              .invokeOnCompletion(failure -> say(name + " ended with " + failure));
        }

        private static Unit say(String what) {
          System.out.println(what);
          return Unit.INSTANCE;
        }

        @Component(immediate = true)
        public static class Listener {
          @Activate
          public Listener(@Reference(target = "(bywash.queue=ticks)") BroadcastService ticks) {
            var receiver = receiver(ticks, TICKS, ReceiverOptions.Companion.block(), Until.Closed, n -> Unit.INSTANCE);
            Thread.ofPlatform().start(() -> {
              try {
                while (true) {
                  say("received " + BuildersKt.runBlocking(EmptyCoroutineContext.INSTANCE,
                      (scope, running) -> receiver.receive(running)));
                }
              } catch (BusClosedException | InterruptedException ended) {
                say("receiver ended with " + ended.getClass().getSimpleName());
              }
            });
            var flow = flow(ticks, TICKS, ReceiverOptions.Companion.block(), Until.Closed, n -> Unit.INSTANCE);
            start("flow", (scope, running) -> flow.collect((tick, collecting) -> say("collected " + tick), running));
          }
        }

        @Component(immediate = true)
        public static class Asker {
          // the name that Kotlin gives to a function with a Duration, which Java cannot spell
          private static final Method CALL = Stream.of(Caller.class.getMethods())
              .filter(each -> each.getName().startsWith("call-") && each.getParameterCount() == 3).findFirst().get();
          private static final long TIMEOUT = DurationKt.toDuration(60, DurationUnit.SECONDS);

          @Activate
          public Asker(@Reference(target = "(bywash.queue=triple)") EndpointService endpoint) {
            Thread.ofPlatform().start(() -> {
              try (var caller = caller(endpoint, TICKS, TICKS, false)) {
                say("called " + BuildersKt.runBlocking(EmptyCoroutineContext.INSTANCE,
                    (scope, running) -> call(caller, new Tick(7), running)));
              } catch (Exception failure) {
                say("call ended with " + failure);
              }
            });
          }

          private static Object call(Caller<Tick, Tick> caller, Tick request, Continuation<?> running) {
            try {
              return CALL.invoke(caller, request, TIMEOUT, running);
            } catch (ReflectiveOperationException failure) {
              throw new AssertionError(failure);
            }
          }
        }

        @Component(immediate = true)
        public static class Worker {
          @Activate
          public Worker(@Reference(target = "(bywash.queue=jobs)") WorkQueueService jobs,
              @Reference(target = "(bywash.queue=done)") BroadcastService done,
              @Reference(target = "(bywash.queue=double)") EndpointService endpoint) {
            var sender = sender(done, TICKS);
            start("consume", (scope, running) -> consume(jobs, TICKS, sender::send, running));
            start("serve", (scope, running) -> serve(endpoint, TICKS, TICKS, 1,
                (request, answering) -> new Tick(2 * request.number()), running));
          }
        }
      }
      """;

  @TempDir
  private Path temporary;
  @TempDir(factory = SharedMemory.class)
  private Path bus;

  private record Tick(long number) {}

  @Test
  void whatABundleMakesOfForeignServicesWorksAndEndsWithTheOwnerOrTheBundle() throws Exception {
    Path load = Files.createDirectory(temporary.resolve("load"));
    try (Shell shell = new Shell(FELIX, bus, List.of("--sun-misc-unsafe-memory-access=allow",
        "-Dfelix.fileinstall.dir=" + load, "-jar", "bin/felix.jar", temporary.resolve("cache").toString()))) {
      Path deployed = Files.move(new Sources("coroutines", List.of(BUNDLE)).build(temporary),
          load.resolve("coroutines.jar"), StandardCopyOption.ATOMIC_MOVE);
      try (Segment segment = Segment.create(bus.resolve("services"), SegmentSpec.of(
          TICKS.declare(Broadcast.spec("ticks", 4096)), TICKS.declare(Broadcast.spec("done", 4096)),
          TICKS.declare(WorkQueue.spec("jobs", 16, 64)), Endpoint.of("double", 64, 64).spec(),
          Endpoint.of("triple", 64, 64).spec()))) {
        Directory directory = segment.directory();
        Subscriber done = Subscriber.open(directory.find("done", Kind.BROADCAST));
        Publisher publisher = Publisher.open(directory.find("ticks", Kind.BROADCAST));
        assertTrue(publisher.awaitSubscribers(2, DEADLINE_NANOS), shell::toString);
        Entry jobs = directory.find("jobs", Kind.WORK_QUEUE);
        Producer producer = Producer.open(jobs);
        for (int i = 0; i < 5; i++) {
          Tick tick = new Tick(i);
          assertTrue(publisher.offer(TICKS, tick, DEADLINE_NANOS) && producer.offer(TICKS, tick, DEADLINE_NANOS));
          await(shell, "received " + tick, "collected " + tick);
          assertEquals(tick, done.poll(TICKS, DEADLINE_NANOS), shell::toString);
        }
        shell.await("acknowledgements", lines -> QueueStatus.of(jobs).heldCount() == 0);
        Caller caller = Caller.open(directory.find("double", Kind.ENDPOINT));
        assertEquals(new Tick(42), TICKS.read(caller.call(TICKS, new Tick(21), DEADLINE_NANOS)), shell::toString);
        Responder responder = Responder.open(directory.find("triple", Kind.ENDPOINT));
        assertEquals(1, responder.poll(request -> request.reply(TICKS, new Tick(3 * TICKS.read(request).number())), 1,
            DEADLINE_NANOS), shell::toString);
        await(shell, "called " + new Tick(21));
      }
      await(shell, "receiver ended with BusClosedException", "flow ended with null");
      assertTrue(Files.exists(bus.resolve("services")), "the bundle owns the others");
      Files.delete(deployed);
      await(shell, "consume ended with null", "serve ended with null");
      shell.await("no segment", lines -> Files.notExists(bus.resolve("services")));
      shell.stop();
    }
  }

  private static void await(Shell shell, String... said) throws InterruptedException {
    shell.await(String.join(", ", said), lines ->
        Stream.of(said).allMatch(what -> lines.stream().anyMatch(line -> line.endsWith(what))));
  }
}
