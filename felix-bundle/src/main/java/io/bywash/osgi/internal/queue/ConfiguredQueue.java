package io.bywash.osgi.internal.queue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.EntrySpec;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;

/**
 * A structure that a configuration asks for: found or created, and kept as long as the configuration is there. A
 * failure is logged and listed, and it is tried again, since the cause may have gone; see {@link Retry}. One whose file
 * was removed or replaced is created anew. All that takes its time is done on the registry's thread.
 *
 * <p>When the configuration changes, the queue is left alone unless a key changed that it depends on. A change that is
 * wrong, or cannot be made since others use the queue, changes nothing.
 *
 * <p>The order of several configurations for one segment does not matter: as long as nobody else uses it and it has no
 * messages, the segment is created anew with room for all of them.
 *
 * <p>Each kind has a component that extends this.
 */
public abstract class ConfiguredQueue {
  private final HeldQueue held = new HeldQueue();
  private final Retry retry = new Retry();
  private final Opening opening = new Opening();
  /** Null before the first {@link #tend}. */
  private volatile Environment environment;
  private volatile Asked asked = new Asked("", "", List.of());
  /** The last configuration of which the log was told. */
  private volatile Asked told = asked;
  /** Why the queue is not as it should be; null when it is, or nobody knows yet. */
  private volatile Throwable failure;
  private volatile boolean watched = true;
  private volatile boolean closed;

  /**
   * The last configuration.
   *
   * @param fault what is wrong with it; empty when nothing is
   */
  private record Asked(String pid, String fault, List<String> unknownKeys) {}

  /** Asks for nothing yet: {@link #configure} does. */
  protected ConfiguredQueue() {}

  /**
   * The queue's own part of the specification.
   *
   * @throws IllegalArgumentException when the configuration is wrong
   */
  protected abstract EntrySpec spec(String queue, ConfigurationReader keys);

  /** The configuration is there, or has changed. Called by Declarative Services. */
  @Activate
  @Modified
  protected final void configure(Map<String, Object> properties) {
    String fault = "";
    ConfigurationReader keys = new ConfigurationReader(properties);
    try {
      held.wanted = QueueSettings.read(keys, this::spec);
      failure = null;
    } catch (RuntimeException wrong) {
      fault = String.valueOf(wrong.getMessage());
    }
    asked = new Asked(String.valueOf(properties.get(Constants.SERVICE_PID)), fault, keys.unknownKeys());
    retry.reset();
    if (environment != null) {
      environment.submit(opening);
    }
  }

  /**
   * Has the queue opened, or changed, unless it is as it should be; called again and again. Never waits.
   *
   * @param watch tells whether a directory is watched
   */
  public final void tend(Environment lent, Predicate<Path> watch) {
    environment = lent;
    if (asked != told || lacks() && isDue()) {
      lent.submit(opening);
    }
    Path path = held.path();
    boolean seen = path == null || watch.test(path.getParent());
    if (watched && !seen) {
      lent.log().warn("The queue of configuration {} is no service: no discovery watches its directory {}.",
          asked.pid(), path.getParent());
    }
    watched = seen;
  }

  private boolean lacks() {
    QueueSettings wanted = held.wanted;
    return !closed && wanted != null && (!held.isAs(wanted) || held.isReplaced());
  }

  private boolean isDue() {
    return retry.isDue(System.nanoTime(), () -> Retry.usableBytes(held.wanted.path().getParent()));
  }

  private final class Opening extends RegistryCalls.Call {
    @Override
    protected void run() {
      tell();
      if (HeldQueue.LOCK.tryLock()) { // else the next sweep tries again: another one may wait for long
        try {
          if (lacks() && isDue()) {
            bringAbout(held.wanted);
          }
        } finally {
          HeldQueue.LOCK.unlock();
        }
      }
    }

    @Override
    public String toString() {
      return "The queue of configuration " + asked.pid();
    }
  }

  private void tell() {
    Asked last = asked;
    if (last != told) {
      told = last;
      if (!last.fault().isEmpty()) {
        environment.log().error("Configuration {} is not used: {}{}", last.pid(), last.fault(),
            held.wanted == null ? "" : ". What was there stays.");
      }
      if (!last.unknownKeys().isEmpty()) {
        environment.log().warn("Configuration {} has keys that mean nothing: {}", last.pid(), last.unknownKeys());
      }
    }
  }

  private void bringAbout(QueueSettings wanted) {
    long start = System.nanoTime();
    try {
      if (held.isReplaced()) {
        environment.log().warn("The file of configuration {} was removed or replaced. Its queue is made anew.",
            asked.pid());
      }
      held.bringAbout(wanted, environment.log());
      failure = null;
      retry.reset();
    } catch (RuntimeException | Error refused) {
      failure = refused;
      long now = System.nanoTime();
      if (retry.failed(refused, now, now - start, held.neededBytes(), Retry.usableBytes(wanted.path().getParent()))) {
        environment.log().error("Configuration {} does not get its queue. {}", asked.pid(), refused.getMessage(),
            refused);
      }
    }
  }

  /**
   * The bus directory that a configuration names; the standard one when it is blank. However one directory is spelled,
   * with {@code ..} perhaps, its path is the same.
   */
  public static BusDirectory directory(String configured) {
    return configured.isBlank() ? BusDirectory.standard()
        : BusDirectory.at(Path.of(configured).toAbsolutePath().normalize());
  }

  /** The configuration has gone. Called by Declarative Services. */
  @Deactivate
  protected final void close() {
    closed = true;
    HeldQueue.LOCK.lock();
    try {
      if (held.path() != null) {
        held.leave(environment.log());
      }
    } finally {
      HeldQueue.LOCK.unlock();
    }
  }

  /** All of it. */
  public final RuntimeDTO.ConfigurationDTO describe() {
    RuntimeDTO.ConfigurationDTO dto = new RuntimeDTO.ConfigurationDTO();
    Asked last = asked;
    QueueSettings wanted = held.wanted;
    dto.pid = last.pid();
    dto.segment = wanted == null ? "" : wanted.segment();
    dto.queue = wanted == null ? "" : wanted.spec().name();
    dto.unknownKeys = last.unknownKeys();
    if (!last.fault().isEmpty()) {
      dto.state = "BAD_VALUE";
      dto.reason = last.fault() + (wanted == null ? "" : "; what was there before stays");
    } else if (wanted == null || !held.isAs(wanted)) {
      dto.state = "REFUSED";
      dto.reason = held.path() == null ? Retry.reason(failure, "it is not open yet")
          : Retry.reason(failure, "It is about to be changed.") + " What was there before stays.";
    } else {
      dto.state = watched ? "OPEN" : "UNWATCHED";
      dto.reason = watched ? "" : "no discovery watches its directory";
    }
    return dto;
  }

  /** What is to be counted when it changes: how much space there is, by the way, is not. */
  public final Object digest() {
    return Retry.digest(describe(), failure);
  }
}
