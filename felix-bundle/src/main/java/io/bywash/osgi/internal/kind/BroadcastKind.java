package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.OverrunException;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.BroadcastService;
import io.bywash.osgi.QueueListener;
import io.bywash.osgi.RecordListener;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.BundleService;
import io.bywash.osgi.internal.queue.Feeder;
import io.bywash.osgi.internal.queue.FeedingRole;
import io.bywash.osgi.internal.queue.ListenerProperties;
import io.bywash.osgi.internal.queue.QueueKind;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/** Broadcast queues: each is a {@link BroadcastService}, and each listener a subscriber. */
public final class BroadcastKind implements QueueKind, Feeder {
  private static final int SHOWN_BYTES = 64;
  private static final long MAX_EVICT_MILLIS = TimeUnit.DAYS.toMillis(365);

  @Override
  public Kind kind() {
    return Kind.BROADCAST;
  }

  @Override
  public Class<BroadcastService> serviceType() {
    return BroadcastService.class;
  }

  @Override
  public BroadcastService service(BundleRoles roles) {
    return new Service(roles);
  }

  @Override
  public Optional<Feeder> feeder() {
    return Optional.of(this);
  }

  @Override
  public List<Class<?>> consumerTypes() {
    return List.of(QueueListener.class, RecordListener.class);
  }

  @Override
  public Optional<String> fault(ListenerProperties properties) {
    return fault(POLICY, properties.choice(POLICY, POLICY_EVICT), POLICY_BLOCK, POLICY_EVICT, POLICY_SKIP, POLICY_FAIL)
        .or(() -> fault(START, start(properties), START_OLDEST, START_NEWEST))
        .or(() -> evictMillis(properties) > 0 ? Optional.empty() : Optional.of(EVICT_AFTER_MILLIS + "="
            + properties.choice(EVICT_AFTER_MILLIS, "") + " is no number from 1 to " + MAX_EVICT_MILLIS));
  }

  private static Optional<String> fault(String key, String value, String... values) {
    return List.of(values).contains(value) ? Optional.empty()
        : Optional.of(key + "=" + value + " is none of " + String.join(", ", values));
  }

  private static String start(ListenerProperties properties) {
    return properties.choice(START, START_OLDEST);
  }

  /** 0 when it is wrong. */
  private static long evictMillis(ListenerProperties properties) {
    try {
      long millis = Long.parseLong(properties.choice(EVICT_AFTER_MILLIS, Long.toString(DEFAULT_EVICT_AFTER_MILLIS)));
      return millis <= MAX_EVICT_MILLIS ? Math.max(millis, 0) : 0;
    } catch (NumberFormatException wrong) {
      return 0;
    }
  }

  @Override
  public FeedingRole join(Entry entry, ListenerProperties properties, boolean local, OptionalLong next,
      Object consumer) {
    QueueListener listener = (QueueListener) consumer;
    if (listener instanceof RecordListener<?> typed) {
      typed.records().check(entry);
    }
    String policy = properties.choice(POLICY, local ? POLICY_BLOCK : POLICY_EVICT);
    SubscriberOptions options = switch (policy) {
      case POLICY_BLOCK -> SubscriberOptions.block();
      case POLICY_SKIP -> SubscriberOptions.skip();
      case POLICY_FAIL -> SubscriberOptions.fail();
      default -> SubscriberOptions.evictAfter(TimeUnit.MILLISECONDS.toNanos(evictMillis(properties)));
    };
    if (next.isEmpty()) {
      Subscriber first = Subscriber.open(entry,
          start(properties).equals(START_OLDEST) ? options.startingAtOldest() : options);
      return new BroadcastFeeding(policy, first, first.nextSequence(), 0, listener);
    }
    long sequence = next.getAsLong();
    try {
      return new BroadcastFeeding(policy, Subscriber.open(entry, options.startingAt(sequence)), sequence, 0, listener);
    } catch (OverrunException overrun) {
      Subscriber oldest = Subscriber.open(entry, options.startingAtOldest());
      return new BroadcastFeeding(policy, oldest, sequence, oldest.nextSequence() - sequence, listener);
    }
  }

  @Override
  public Optional<List<RuntimeDTO.MessageDTO>> tail(Entry entry, int count) {
    List<RuntimeDTO.MessageDTO> last = new ArrayList<>();
    try (Subscriber subscriber = Subscriber.open(entry, SubscriberOptions.skip().startingAtLast(count))) {
      subscriber.poll(message -> last.add(message(message)), count);
    }
    return Optional.of(last);
  }

  private static RuntimeDTO.MessageDTO message(Message message) {
    RuntimeDTO.MessageDTO dto = new RuntimeDTO.MessageDTO();
    byte[] bytes = message.toBytes();
    int shown = Math.min(bytes.length, SHOWN_BYTES);
    String text = new String(bytes, 0, shown, StandardCharsets.UTF_8);
    boolean readable = text.chars().noneMatch(each -> each < ' ' || each == 0xFFFD);
    dto.sequence = message.sequence();
    dto.lengthBytes = bytes.length;
    dto.text = (readable ? text : HexFormat.ofDelimiter(" ").formatHex(bytes, 0, shown))
        + (shown < bytes.length ? " ..." : "");
    return dto;
  }

  private static final class Service extends BundleService implements BroadcastService {
    Service(BundleRoles roles) {
      super(roles);
    }

    @Override
    public BroadcastStatus status() {
      return BroadcastStatus.of(entry());
    }

    @Override
    public Subscriber subscribe(SubscriberOptions options) {
      return roles.take(entry -> Subscriber.open(entry, options));
    }

    @Override
    public Publisher publish() {
      return roles.take(Publisher::open);
    }
  }
}
