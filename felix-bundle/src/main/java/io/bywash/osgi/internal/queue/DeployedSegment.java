package io.bywash.osgi.internal.queue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;

/**
 * The segment of one service of the type {@link SegmentSpec}: built, or joined if it exists and is the same, and held
 * as long as the service is there. A failure is logged and listed, and it is tried again, see {@link Retry}. One whose
 * file was removed or replaced is built anew.
 */
public final class DeployedSegment extends RegistryCalls.Call {
  private final ServiceReference<?> reference;
  private final ListenerProperties properties;
  private final Environment environment;
  private final String label;
  private volatile boolean gone;
  private volatile boolean watched = true;
  private final Retry retry = new Retry();

  /** Used by the registry's thread; read by others. */
  private volatile SegmentSpec spec;
  private volatile Segment segment;
  private volatile Map<String, Object> identity = Map.of();
  /** Why there is none; null when there is one, or nobody knows yet. */
  private volatile Throwable failure;

  /** Nothing is built yet. */
  public DeployedSegment(ServiceReference<?> reference, Environment environment) {
    this.reference = reference;
    this.environment = environment;
    this.properties = ListenerProperties.of(reference);
    Bundle bundle = reference.getBundle();
    this.label = "service " + reference.getProperty(Constants.SERVICE_ID) + " of "
        + (bundle == null ? "a bundle that has gone" : bundle.getSymbolicName());
  }

  /** Whether the service still asks for the same segment. */
  public boolean isUnchanged() {
    return properties.equals(ListenerProperties.of(reference));
  }

  /** Whether the service is none any more. */
  public boolean hasGone() {
    return reference.getBundle() == null;
  }

  /**
   * Has the segment built if it is not there; called again and again.
   *
   * @param watch tells whether a directory is watched
   */
  public synchronized void tend(Predicate<Path> watch) {
    Segment current = segment;
    if (current != null && watched != watch.test(current.path().getParent())) {
      watched = !watched;
      environment.changed();
    }
    if ((current == null || isReplaced(current)) && isDue()) {
      environment.submit(this);
    }
  }

  private boolean isDue() {
    return retry.isDue(System.nanoTime(), this::usableBytes);
  }

  private long usableBytes() {
    return Retry.usableBytes(file().getParent());
  }

  private Path file() {
    Path named = properties.directory();
    return (named == null ? BusDirectory.standard() : BusDirectory.at(named)).path(properties.segment());
  }

  /** Also when the file went before its identity could be asked for. */
  private boolean isReplaced(Segment current) {
    return identity.isEmpty() || !identity.equals(WatchedSegment.identity(current.path()));
  }

  /** The service has gone. The segment is left soon. */
  public void leave() {
    gone = true;
    environment.submit(this);
  }

  @Override
  protected void run() {
    Segment before = segment;
    if (segment != null && (gone || isReplaced(segment))) {
      HeldSegments.remove(segment.path());
      Closing.close(segment, environment.log());
      segment = null;
    }
    if (segment == null && !gone && isDue()) {
      long start = System.nanoTime();
      try {
        open();
        failure = null;
        retry.reset();
      } catch (RuntimeException | Error refused) { // an Error of the bundle's code, perhaps
        report(refused, start);
      }
    }
    if (segment != before) {
      environment.changed();
    }
  }

  private void open() {
    if (!properties.odd().isEmpty()) {
      throw new IllegalArgumentException(properties.odd());
    }
    Object service = environment.context().getService(reference);
    if (service == null && (gone || hasGone())) {
      return;
    } else if (service == null) {
      throw new IllegalStateException("its bundle did not provide the service");
    }
    try {
      SegmentSpec wanted = (SegmentSpec) service;
      spec = wanted;
      segment = properties.directory() == null ? Segment.open(properties.segment(), wanted)
          : Segment.open(file(), wanted);
      identity = WatchedSegment.identity(segment.path());
      HeldSegments.add(segment.path());
    } finally {
      environment.context().ungetService(reference); // what it said is known
    }
  }

  private void report(Throwable refused, long startNanos) {
    failure = refused;
    boolean lacksSpace = refused instanceof NoSpaceException;
    long now = System.nanoTime();
    if (retry.failed(refused, now, now - startNanos, lacksSpace ? spec.sizeBytes() : 0,
        lacksSpace ? usableBytes() : 0)) {
      environment.log().error("The segment {} of {} is not built. {}", properties.segment(), label,
          Retry.reason(refused, ""));
    }
  }

  /** All of it. */
  public RuntimeDTO.ConfigurationDTO describe() {
    RuntimeDTO.ConfigurationDTO dto = new RuntimeDTO.ConfigurationDTO();
    SegmentSpec known = spec;
    dto.pid = label;
    dto.segment = properties.segment();
    dto.queue = known == null ? "" : known.entries().stream().map(EntrySpec::name).collect(Collectors.joining(", "));
    dto.unknownKeys = List.of();
    boolean open = segment != null;
    dto.state = !open ? "REFUSED" : watched ? "OPEN" : "UNWATCHED";
    dto.reason = !open ? Retry.reason(failure, "it is not built yet")
        : watched ? "" : "no discovery watches its directory";
    return dto;
  }

  /** What is to be counted when it changes. */
  public Object digest() {
    return Retry.digest(describe(), failure);
  }

  @Override
  public String toString() {
    return "The segment " + properties.segment() + " of " + label;
  }
}
