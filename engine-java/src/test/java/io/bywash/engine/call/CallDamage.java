package io.bywash.engine.call;

import static io.bywash.engine.internal.layout.SegmentLayout.OWN_WORDS;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLES;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_BYTES;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.subject.DamageSubject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/** Endpoints to be damaged. */
final class CallDamage implements DamageSubject {
  private static final int MAX_BYTES = 70;
  /** docs/SPEC.md: a request, a reply and a claim of 128 bytes each. */
  private static final int SLOT_BYTES = 384;
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  private static Endpoint endpoint(String name, int callers, int slots) {
    return Endpoint.of(name, MAX_BYTES, MAX_BYTES).callers(callers).slots(slots).responders(2);
  }

  @Override
  public List<EntrySpec> structures() {
    return List.of(endpoint("first", 2, 2).spec(), endpoint("second", 3, 4).redelivers().spec());
  }

  @Override
  public EntrySpec added(String name) {
    return endpoint(name, 1, 1).spec();
  }

  private static byte[] content(int number) {
    byte[] bytes = new byte[Math.floorMod(number, MAX_BYTES)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number + i);
    }
    return bytes;
  }

  @Override
  public void fill(Entry entry, int amount) {
    try (Caller caller = Caller.open(entry); Responder responder = Responder.open(entry)) {
      for (int i = 0; i <= amount; i++) {
        check(caller, responder, i);
      }
    }
  }

  private static void check(Caller caller, Responder responder, int number) {
    byte[] bytes = content(number);
    Call call = caller.send(bytes, 0, bytes.length, number, PATIENCE_NANOS);
    Request request = responder.receive();
    if (call == null || request == null || request.type() != number || !request.reply(bytes, 0, bytes.length, number)
        || !call.isDone() || call.reply().type() != number || call.reply().length() != bytes.length) {
      throw new AssertionError("the reply is not that to the request");
    }
    call.close();
  }

  @Override
  public List<AutoCloseable> hold(Entry entry) {
    Caller caller = Caller.open(entry);
    Responder responder = Responder.open(entry);
    caller.send(content(5), PATIENCE_NANOS);
    responder.receive();
    caller.send(content(6), PATIENCE_NANOS);
    return List.of(responder, caller);
  }

  @Override
  public int word(Place place, ByteBuffer segment, Random random) {
    int slots = (place.sizeBytes() - place.data()) / SLOT_BYTES;
    int slot = place.data() + SLOT_BYTES * random.nextInt(slots);
    return switch (random.nextInt(8)) {
      case 0 -> ROLES + ROLE_BYTES * random.nextInt(place.roles());
      case 1, 2 -> slot + 8 * random.nextInt(3);
      case 3, 4 -> slot + 128 + 8 * random.nextInt(3);
      case 5, 6 -> slot + 256;
      default -> random.nextBoolean() ? 8 * random.nextInt(OWN_WORDS / 8) : 8 * random.nextInt(place.sizeBytes() / 8);
    };
  }

  @Override
  public List<Long> tempting(Place place, ByteBuffer words) {
    long request = words.getLong(place.offset() + place.data());
    long claim = words.getLong(place.offset() + place.data() + 256);
    return List.of(request, request + 4, request - 4, request ^ 1, request ^ 2, request | 3, claim, claim ^ 1,
        claim ^ 4, claim + (1L << 28), claim - (1L << 28), claim | 0xFFC, 0L, 1L, -1L, 71L << 32, 70L << 32 | 1,
        1L << 63, 1L << 53);
  }

  @Override
  public String status(Entry entry) {
    return EndpointStatus.of(entry).toString();
  }

  @Override
  public void observe(Entry entry, Uses uses) throws Exception {
    uses.step("observe", () -> EndpointStatus.of(entry).counters());
  }

  /** Sends, or does not find a slot; how many were sent. */
  private static int send(Caller caller, Random random) {
    byte[] bytes = content(Math.min(random.nextInt(MAX_BYTES), caller.maxRequestBytes())); // which may be another one
    if (random.nextInt(3) == 0) {
      return caller.sendOneWay(bytes) ? 1 : 0;
    }
    return caller.send(bytes, random.nextBoolean() ? 1 : 1_000_000) == null ? 0 : 1;
  }

  private static int answer(Responder responder, Random random) {
    return responder.poll(request -> {
      if (random.nextInt(4) == 0) {
        throw new IllegalStateException("no answer");
      }
      byte[] bytes = request.toBytes();
      request.reply(Arrays.copyOf(bytes, Math.min(bytes.length, request.maxReplyBytes()))); // which may be another one
    }, 3);
  }

  private static int finish(Caller caller) {
    int count = 0;
    for (Call call; count < 20 && (call = caller.poll()) != null; count++) {
      if (call.failure() == null) {
        call.reply().toBytes();
      }
      call.close();
    }
    return count;
  }

  @Override
  public List<AutoCloseable> use(Entry entry, Uses uses) throws Exception {
    List<AutoCloseable> roles = new ArrayList<>();
    Caller caller = uses.step("caller", () -> Caller.open(entry));
    Responder responder = uses.step("responder", () -> Responder.open(entry));
    for (int i = 0; i < 3; i++) {
      if (caller != null) {
        uses.step("send", () -> send(caller, uses.random()));
      }
      if (responder != null) {
        uses.step("answer", () -> handled(responder, uses.random()));
      }
      if (caller != null) {
        uses.step("finish", () -> finish(caller));
      }
    }
    if (caller != null) {
      roles.add(caller);
    }
    if (responder != null) {
      roles.add(responder);
    }
    return roles;
  }

  /** As {@link #answer}; the handler's own exception, which a one-way request passes on, is no failure. */
  private static int handled(Responder responder, Random random) throws Documented {
    try {
      return answer(responder, random);
    } catch (IllegalStateException failure) {
      if ("no answer".equals(failure.getMessage())) {
        return 1;
      }
      throw new Documented(failure.getMessage(), failure);
    }
  }

  @Override
  public void useSound(Entry entry) {
    try (Caller caller = Caller.open(entry); Responder responder = Responder.open(entry)) {
      for (Request request; (request = responder.receive()) != null; ) {
        request.fail("of the dead");
      }
      for (int i = 0; i < 3; i++) {
        check(caller, responder, i);
      }
    }
  }

  @Override
  public List<String> expectedOutcomes() {
    return List.of("caller: success", "caller: DamagedSegmentException", "responder: success", "send: success",
        "answer: success", "answer: DamagedRequestException", "finish: success", "living answer: success",
        "status: DamagedSegmentException");
  }

  @Override
  public Living live(Entry one, Entry other) {
    return new Pair(Caller.open(one), Responder.open(other));
  }

  /** A caller and a responder. */
  private record Pair(Caller caller, Responder responder) implements Living {
    @Override
    public void use(Uses uses) throws Exception {
      uses.step("living send", () -> send(caller, uses.random()));
      uses.step("living answer", () -> handled(responder, uses.random()));
      uses.step("living finish", () -> finish(caller));
    }

    @Override
    public int useSound() {
      finish(caller);
      for (int i = 0; i < 2; i++) {
        check(caller, responder, i);
      }
      return 2;
    }

    @Override
    public List<AutoCloseable> roles() {
      return List.of(caller, responder);
    }
  }

  @Override
  public EntrySpec busy(String name) {
    return endpoint(name, 2, 4).redelivers().spec();
  }

  @Override
  public int busyWord(Place place, Random random) {
    return random.nextInt(5) == 0 ? ROLES + ROLE_BYTES * random.nextInt(4)
        : place.data() + SLOT_BYTES * random.nextInt(8) + 8 * random.nextInt(SLOT_BYTES / 8);
  }

  @Override
  public Map<String, BusyUse> busyUses() {
    Map<String, BusyUse> uses = new LinkedHashMap<>();
    uses.put("caller", (entry, turn) -> {
      try (Caller caller = Caller.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          send(caller, turn.random());
          finish(caller);
        }
      }
    });
    uses.put("responder", (entry, turn) -> {
      try (Responder responder = Responder.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          handled(responder, turn.random());
        }
      }
      EndpointStatus.of(entry);
    });
    return uses;
  }

  @Override
  public void fillBusy(Entry entry) {
    fill(entry, 9);
  }

  private static void set(SegmentEntry entry, long offset, long value) {
    entry.region().setLongRelease(entry.offset() + offset, value);
  }

  private static void setInSlots(SegmentEntry entry, long offset, long value) {
    long data = SegmentLayout.structureDataOffset(entry.roleCount());
    for (int i = 0; i < 8; i++) {
      set(entry, data + i * SLOT_BYTES + offset, value);
    }
  }

  @Override
  public List<Change> changes() {
    return List.of(
        new Change("requests", (entry, there) -> setInSlots(entry, 0, there ? 3 << 2 | 1 : 4 << 2 | 1)),
        new Change("turns far ahead", (entry, there) -> setInSlots(entry, 0, there ? 3 << 2 | 1 : 1L << 52 | 2)),
        new Change("replies", (entry, there) -> setInSlots(entry, 128, there ? 3 << 2 | 1 : 9 << 2 | 2)),
        new Change("claims", (entry, there) -> setInSlots(entry, 256, there ? 3L << 28 : 3L << 28 | 1 << 12 | 1)),
        new Change("lengths", (entry, there) -> {
          setInSlots(entry, 8, there ? 70L << 32 : 71L << 32);
          setInSlots(entry, 136, there ? 70L << 32 : 1L << 63);
        }));
  }

  @Override
  public List<Consumer<Entry>> usesOfChanged() {
    return List.of(
        entry -> {
          try (Caller caller = Caller.open(entry)) {
            send(caller, new Random(1));
            finish(caller);
          }
        },
        entry -> {
          try (Responder responder = Responder.open(entry)) {
            for (int i = 0; i < 10; i++) {
              responder.poll(request -> request.reply(request.toBytes()), 3);
            }
          }
        },
        EndpointStatus::of);
  }
}
