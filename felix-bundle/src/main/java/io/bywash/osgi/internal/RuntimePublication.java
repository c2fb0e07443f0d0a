package io.bywash.osgi.internal;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.StructureStatus.Form;
import io.bywash.osgi.internal.queue.Environment;
import io.bywash.osgi.internal.queue.RegistryCalls;
import io.bywash.osgi.runtime.BywashRuntime;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/** The service {@link BywashRuntime}, and its {@code service.changecount}. */
final class RuntimePublication extends RegistryCalls.Call implements BywashRuntime {
  private final Whiteboard whiteboard;
  private final Environment environment;
  /** Used by the registry's thread. */
  private ServiceRegistration<BywashRuntime> registration;
  private volatile long published = -1;
  private volatile boolean closed;

  RuntimePublication(Whiteboard whiteboard, Environment environment) {
    this.whiteboard = whiteboard;
    this.environment = environment;
  }

  /** Called again and again. */
  void tend() {
    if (published != environment.changes().get()) {
      environment.submit(this);
    }
  }

  void close() {
    closed = true;
    environment.submit(this);
  }

  @Override
  protected void run() {
    long count = environment.changes().get();
    Map<String, Object> properties = Map.of("service.changecount", count, Constants.SERVICE_DESCRIPTION,
        "What Bywash sees and does");
    if (closed) {
      if (registration != null) {
        registration.unregister();
        registration = null;
      }
    } else if (registration == null) {
      registration = environment.context().registerService(BywashRuntime.class, this,
          FrameworkUtil.asDictionary(properties));
    } else {
      registration.setProperties(FrameworkUtil.asDictionary(properties));
    }
    published = count;
  }

  @Override
  public String toString() {
    return "The service BywashRuntime";
  }

  @Override
  public RuntimeDTO getRuntimeDTO() {
    RuntimeDTO dto = whiteboard.describe();
    dto.queues = whiteboard.queues().stream().map(RuntimePublication::queue).toList();
    return dto;
  }

  private static RuntimeDTO.QueueDTO queue(Whiteboard.Seen seen) {
    RuntimeDTO.QueueDTO dto = new RuntimeDTO.QueueDTO();
    Entry entry = seen.entry();
    dto.segment = seen.segment().name();
    dto.path = seen.segment().path().toString();
    dto.queue = entry.name();
    dto.kind = entry.kind().displayName();
    dto.capacity = entry.capacity();
    dto.elementSizeBytes = entry.elementSizeBytes();
    dto.state = seen.state().toString();
    dto.fill = -1;
    dto.counters = Map.of();
    dto.holders = List.of();
    dto.obstacles = List.of();
    dto.damage = "";
    try {
      dto.ownerPid = entry.owner().filter(Participant::alive).map(Participant::pid).orElse(0L);
      StructureStatus.of(entry).ifPresent(status -> {
        dto.fill = status.fill().orElse(-1.0);
        dto.counters = counters(status.counters());
        dto.holders = status.holders().stream().map(RuntimePublication::holder).toList();
        dto.obstacles = status.obstacles(status, 0).stream().map(StructureStatus.Obstacle::problem).toList();
      });
    } catch (BusException | InternalError damaged) { // an InternalError: the file was truncated
      dto.damage = String.valueOf(damaged.getMessage());
    }
    return dto;
  }

  private static RuntimeDTO.HolderDTO holder(StructureStatus.Holder holder) {
    RuntimeDTO.HolderDTO dto = new RuntimeDTO.HolderDTO();
    dto.pid = holder.participant().pid();
    dto.alive = holder.participant().alive();
    dto.task = holder.task();
    dto.label = holder.label();
    dto.counters = counters(holder.counters());
    return dto;
  }

  /** Those that mean something at one time. */
  private static Map<String, Long> counters(List<StructureStatus.Counter> counters) {
    Map<String, Long> values = new LinkedHashMap<>();
    counters.stream().filter(each -> each.form() == Form.COUNT || each.form() == Form.COUNT_AND_RATE)
        .forEach(each -> values.put(each.name(), each.value()));
    return values;
  }
}
