package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What listeners get, in which order, and until when. */
abstract class ListenerContract extends DiscoveryContract {
  @Test
  void aListenerThatWasThereFirstIsFedFromTheFirstMessageOn() throws Exception {
    Listening listening = listen("delta", () -> {});
    publisher("delta").publish(100);
    listening.awaitSequences(100);
    assertEquals(upTo(100), List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerThatComesLaterIsFedWithWhatIsThere() throws Exception {
    PublisherProcess publisher = publisher("echo");
    publisher.publish(100);
    awaitQueue("echo");
    Listening oldest = listen("echo", () -> {});
    Listening newest = listen("echo", () -> {}, START, START_NEWEST);
    awaitUntil("both to be fed", () -> subscribers("echo") == 2);
    publisher.publish(100);
    oldest.awaitSequences(200);
    assertEquals(upTo(200), List.copyOf(oldest.sequences()));
    newest.awaitSequences(100);
    assertEquals(upTo(200).subList(100, 200), List.copyOf(newest.sequences()));
  }

  @Test
  void aListenerGetsEachCommittedMessageOnceAcrossAKillAndAReturn() throws Exception {
    Listening slow = listen("foxtrot", () -> LockSupport.parkNanos(50_000));
    Listening fast = listen("foxtrot", () -> {});
    PublisherProcess killed = publisher("foxtrot");
    Future<List<Object>> atWithdrawal =
        atWithdrawal("foxtrot", () -> List.of((long) slow.sequences().size(), listing()));
    awaitQueue("foxtrot");
    awaitUntil("both to be fed", () -> subscribers("foxtrot") == 2); // or they would begin in the middle
    killed.stream();
    slow.awaitSequences(2_000);
    killed.kill();
    long committed = committed("foxtrot");
    List<Object> seen = atWithdrawal.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS);
    assertEquals(committed, seen.getFirst(), seen::toString);
    awaitWithdrawn("foxtrot");

    PublisherProcess next = publisher("foxtrot");
    assertEquals(committed, next.firstSequence());
    awaitQueue("foxtrot");
    long all = next.publish(3_000);
    slow.awaitSequences(all);
    fast.awaitSequences(all);
    assertEquals(upTo(all), List.copyOf(slow.sequences()));
    assertEquals(upTo(all), List.copyOf(fast.sequences()));
  }

  @Test
  void aListenerKeepsTheSegmentWhenThePublisherCloses() throws Exception {
    Listening listening = listen("golf", () -> {});
    PublisherProcess publisher = publisher("golf");
    awaitQueue("golf");
    publisher.publish(10);
    publisher.close();
    awaitWithdrawn("golf");
    assertEquals(upTo(10), List.copyOf(listening.sequences()));
    publisher("golf").publish(10);
    listening.awaitSequences(20);
    assertEquals(upTo(20), List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerWhoseOtherPropertiesChangeKeepsItsPlace() throws Exception {
    PublisherProcess publisher = publisher("uniform");
    Listening listening = listen("uniform", () -> {});
    publisher.publish(10);
    listening.awaitSequences(10);
    listening.registration()
        .setProperties(dictionary(Map.of(SEGMENT, "uniform", QUEUE, "ticks", "service.ranking", 7)));
    publisher.publish(10);
    listening.awaitSequences(20);
    assertEquals(upTo(20), List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerThatHangsHoldsUpNeitherOthersNorTheWithdrawal() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    ended(hold::countDown);
    Listening hanging = listen("romeo", () -> awaitLatch(hold));
    Listening other = listen("romeo", () -> {});
    PublisherProcess killed = publisher("romeo");
    killed.publish(100);
    other.awaitSequences(100);
    killed.kill();
    awaitWithdrawn("romeo");
    assertEquals(upTo(1), List.copyOf(hanging.sequences()));
    hold.countDown();
    hanging.awaitSequences(100);
    assertEquals(upTo(100), List.copyOf(hanging.sequences()));
  }

  /** As far as the queue knows, the call that hangs has ended; so a second listener of its service could be fed. */
  @Test
  void aListenerIsCalledByOneThreadAtATimeThoughTwoThreadsChangeItsPropertiesDuringACall() throws Exception {
    PublisherProcess publisher = publisher("raced");
    Hang hang = new Hang();
    Listening listening = listen("raced", hang);
    publisher.publish(1);
    hang.awaitEntered();
    awaitListed("raced", " evict ", "FEEDING");
    CompletableFuture<Void> first = changePolicy(listening, POLICY_SKIP);
    awaitUntil("the first change to wait for the call", () -> !listing().contains("FEEDING"));
    CompletableFuture<Void> second = changePolicy(listening, POLICY_BLOCK);
    first.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS);
    second.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS);
    Listening other = listen("raced", () -> {});
    publisher.publish(9);
    other.awaitSequences(10);
    awaitListed("raced", " block ", "JOINING");
    assertEquals(1, listening.sequences().size(), "it is called only once at a time");
    hang.released.countDown();
    listening.awaitSequences(11); // the second one begins anew
    assertEquals(LongStream.concat(LongStream.of(0), LongStream.range(0, 10)).boxed().toList(),
        List.copyOf(listening.sequences()));
  }

  /** Each change has a thread of its own, since the first one waits. */
  private static CompletableFuture<Void> changePolicy(Listening listening, String policy) {
    return CompletableFuture.runAsync(() -> listening.registration()
        .setProperties(dictionary(Map.of(SEGMENT, "raced", QUEUE, "ticks", POLICY, policy))),
        task -> Thread.ofPlatform().daemon().start(task));
  }

  @Test
  void aListenerThatThrowsIsFedOn() throws Exception {
    Listening listening = listen("hotel", () -> {
      throw new IllegalStateException("thrown on purpose by the test");
    });
    publisher("hotel").publish(50);
    listening.awaitSequences(50);
    assertEquals(upTo(50), List.copyOf(listening.sequences()));
    awaitListed("hotel", "FEEDING", " 50     0      50 ");
  }

  @Test
  void aSkippingListenerHoldsNobodyUpAndIsToldWhatItLost() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    ended(hold::countDown);
    Listening listening = listen("india", () -> awaitLatch(hold), POLICY, POLICY_SKIP);
    PublisherProcess publisher = publisher("india");
    publisher.publish(1);
    listening.awaitSequences(1);
    long published = publisher.publish(20_000);
    hold.countDown();
    awaitUntil("each message is received or lost", () ->
        listening.sequences().size() + listening.lost().get() == published);
    assertTrue(listening.lost().get() > 0);
  }

  @Test
  void anUnregisteredListenerIsNotCalledAnyMore() throws Exception {
    PublisherProcess publisher = publisher("juliett");
    Listening listening = listen("juliett", () -> {});
    publisher.stream();
    listening.awaitSequences(1_000);
    listening.registration().unregister();
    int received = listening.sequences().size();
    Listening later = listen("juliett", () -> {}, START, START_NEWEST);
    later.awaitSequences(1_000);
    assertEquals(received, listening.sequences().size());
    publisher.kill();
  }

  @Test
  void aListenerThatCannotBeServedIsListedWithTheReason() throws Exception {
    ended(PublisherProcess.start(bus.resolve("kilo"), "ticks", 4096, 1));
    Listening first = listen("kilo", () -> {});
    awaitListed("kilo", "FEEDING");
    listen("kilo", () -> {});
    awaitListed("kilo", "TABLE_FULL", "has all its 1 places taken");
    first.registration().unregister();
    awaitListed("kilo", "FEEDING");
    assertFalse(listing().contains("TABLE_FULL"));
    listen("nowhere", () -> {});
    awaitListed("nowhere", "NO_QUEUE", "there is no segment nowhere");
    listen("kilo", () -> {}, QUEUE, "other");
    awaitListed("kilo", "other", "NO_QUEUE", "has no queue other");
    listen("kilo", () -> {}, POLICY, "sometimes");
    awaitListed("kilo", "BAD_PROPERTIES", "bywash.policy=sometimes");
  }

  @Test
  void aDirectoryOfAListenerMayBeRelativeAndOneThatIsNoPathHarmsNobody() throws Exception {
    listen("lima", () -> {}, DIRECTORY, "/x\0");
    awaitListed("lima", "BAD_PROPERTIES", DIRECTORY + " is no path");
    PublisherProcess publisher = publisher("lima");
    Listening relative = listen("lima", () -> {}, DIRECTORY,
        " " + Path.of("").toAbsolutePath().relativize(bus.resolve("..").resolve(bus.getFileName())) + " ");
    publisher.publish(3);
    relative.awaitSequences(3);
    Container.call(Container.call(container.await(CONFIGURATION_ADMIN), "getConfiguration", DISCOVERY_PID, "?"),
        "update", dictionary(Map.of(DIRECTORY, " " + bus + " ")));
    ended(() -> discover(bus));
    Listening later = listen("lima", () -> {}, DIRECTORY, bus.toString());
    later.awaitSequences(3);
    assertFalse(listing().contains("InvalidPathException"), listing());
  }

  /** In a process of its own: on its one processor a listener that blocked would keep the other one from running. */
  @Test
  void listenersPassMessagesOnOnOneProcessorAndOutliveAShortageOfHeap() throws Exception {
    String said = run(ShortageProgram.class, "-Xmx80m", "-XX:ActiveProcessorCount=1");
    assertTrue(said.contains("got 226 of 226"), said);
  }

  @Test
  void aListenerThatKeepsItsCarrierKeepsNoOtherOneFromBeingFedAndNoPublisherWhenItGoes() throws Exception {
    String said = run(SpinProgram.class, "-Djdk.virtualThreadScheduler.parallelism=1",
        "-Djdk.virtualThreadScheduler.maxPoolSize=1");
    assertTrue(said.contains("fed\nreleased"), said);
  }

  /** What a program says that gets the framework and a bus directory of its own. */
  private String run(Class<?> program, String... flags) throws Exception {
    Path own = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-test-");
    ended(() -> {
      Files.deleteIfExists(own.resolve(".lock"));
      Files.delete(own);
    });
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-Dbywash.test.containers=" + Container.DIRECTORY,
        "-Dbywash.test.classes=" + System.getProperty("bywash.test.classes"), "-cp",
        System.getProperty("java.class.path"),
        program.getName(), framework(), own.toString()));
    command.addAll(1, List.of(flags));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    ended(() -> process.destroyForcibly().waitFor());
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
