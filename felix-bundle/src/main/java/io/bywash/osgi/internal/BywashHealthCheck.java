package io.bywash.osgi.internal;

import io.bywash.osgi.runtime.RuntimeDTO;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.apache.felix.hc.api.ResultLog;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * A health check of Felix, if its API is there: directories, files and configurations that cannot be used, listeners
 * that cannot be fed, blocked publishers, consumers that lag, bundles that keep a call, and space.
 */
@Component(service = HealthCheck.class, property = {"hc.name=Bywash", "hc.tags=bywash"})
public final class BywashHealthCheck implements HealthCheck {
  /** A queue that is fuller is reported. */
  private static final double FULL = 0.9;
  /** Less free space than this share of the file system is reported. */
  private static final double FREE = 0.05;
  private static final Set<String> HARMLESS = Set.of("FEEDING", "JOINING", "NO_QUEUE");

  private final Whiteboard whiteboard;

  /** Called by Declarative Services. */
  @Activate
  public BywashHealthCheck(@Reference Whiteboard whiteboard) {
    this.whiteboard = whiteboard;
  }

  @Override
  public Result execute() {
    return of(whiteboard.runtime().getRuntimeDTO());
  }

  /** What is wrong in there. */
  static Result of(RuntimeDTO dto) {
    ResultLog log = new ResultLog();
    dto.directories.forEach(each -> directory(log, each));
    dto.files.forEach(each -> warn(log, each.path + " cannot be used: " + each.reason));
    dto.queues.forEach(each -> queue(log, each));
    dto.listeners.stream().filter(each -> !HARMLESS.contains(each.state)).forEach(each -> warn(log, "Listener "
        + each.serviceId + " of bundle " + each.bundle + " is not fed, " + each.state + ": " + each.reason));
    dto.configurations.stream().filter(each -> !each.state.equals("OPEN")).forEach(each -> warn(log, "Configuration "
        + each.pid + ", " + each.state + ": " + each.reason));
    dto.calls.forEach(each -> warn(log, each.call + " has been waiting for " + each.seconds + " s for "
        + each.keeper));
    dto.missing.forEach(each -> log.add(new ResultLog.Entry(Status.OK, each)));
    log.add(new ResultLog.Entry(Status.OK, dto.queues.size() + " queues, " + dto.listeners.size() + " listeners"));
    return new Result(log);
  }

  private static void warn(ResultLog log, String text) {
    log.add(new ResultLog.Entry(Status.WARN, text));
  }

  private static void directory(ResultLog log, RuntimeDTO.DirectoryDTO directory) {
    if (!directory.failure.isEmpty()) {
      log.add(new ResultLog.Entry(Status.CRITICAL, "Directory " + directory.path + " is not watched: "
          + directory.failure));
      return;
    }
    try {
      FileStore store = Files.getFileStore(Path.of(directory.path));
      if (store.getUsableSpace() < FREE * store.getTotalSpace()) {
        warn(log, "Directory " + directory.path + " has " + store.getUsableSpace() + " bytes left of "
            + store.getTotalSpace() + ".");
      }
    } catch (IOException none) {
      // it may come
    }
  }

  private static void queue(ResultLog log, RuntimeDTO.QueueDTO queue) {
    String name = "Queue " + queue.queue + " of segment " + queue.segment;
    if (!queue.damage.isEmpty()) {
      warn(log, name + ": " + queue.damage);
    }
    queue.obstacles.forEach(each -> warn(log, name + ": " + each));
    if (queue.fill > FULL && queue.obstacles.isEmpty()) {
      warn(log, name + ": " + Math.round(100 * queue.fill) + " % of it is waiting for consumers.");
    }
  }
}
