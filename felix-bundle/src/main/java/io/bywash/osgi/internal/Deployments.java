package io.bywash.osgi.internal;

import io.bywash.engine.SegmentSpec;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.DeployedSegment;
import io.bywash.osgi.internal.queue.Environment;
import io.bywash.osgi.internal.queue.ServiceWatch;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;

/** The segments that services of the type {@link SegmentSpec} ask for. Any thread may use it. */
final class Deployments {
  private final Environment environment;
  private final ServiceWatch services;
  private final Predicate<Path> watch;
  private final Map<Long, DeployedSegment> segments = new ConcurrentSkipListMap<>();
  private volatile boolean closed;

  /**
   * Not open yet.
   *
   * @param watch tells whether a directory is watched
   */
  Deployments(Environment environment, Predicate<Path> watch) {
    this.environment = environment;
    this.watch = watch;
    this.services = new ServiceWatch(environment.context(), "(&(" + Constants.OBJECTCLASS + "="
        + SegmentSpec.class.getName() + ")(" + BywashConstants.SEGMENT + "=*))", environment.log(), this::add,
        this::change, this::remove);
  }

  void open() {
    services.open();
  }

  private static Long idOf(ServiceReference<?> reference) {
    return (Long) reference.getProperty(Constants.SERVICE_ID);
  }

  private void add(ServiceReference<?> reference) {
    DeployedSegment added =
        segments.computeIfAbsent(idOf(reference), id -> new DeployedSegment(reference, environment));
    if (closed) { // meanwhile
      added.leave();
    }
    added.tend(watch);
  }

  private void change(ServiceReference<?> reference) {
    DeployedSegment known = segments.get(idOf(reference));
    if (known == null || !known.isUnchanged()) {
      remove(reference);
      add(reference);
    }
  }

  private void remove(ServiceReference<?> reference) {
    DeployedSegment removed = segments.remove(idOf(reference));
    if (removed != null) {
      removed.leave();
    }
  }

  /** Called again and again. */
  void tend(Consumer<Runnable> attempt) {
    segments.forEach((id, each) -> attempt.accept(() -> {
      if (each.hasGone()) { // and was added while it went
        segments.remove(id, each);
        each.leave();
      } else {
        each.tend(watch);
      }
    }));
  }

  List<RuntimeDTO.ConfigurationDTO> describe() {
    return segments.values().stream().map(DeployedSegment::describe).toList();
  }

  /** What is to be counted when it changes. */
  List<Object> digest() {
    return segments.values().stream().map(DeployedSegment::digest).toList();
  }

  /** Has all of them left. */
  void close() {
    closed = true;
    services.close();
    segments.values().forEach(DeployedSegment::leave);
    segments.clear();
  }
}
