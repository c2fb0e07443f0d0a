package io.bywash.osgi.internal;

import io.bywash.engine.inspect.StatusText;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The command {@code bywash:queues} of the Gogo shell. Without a shell it is a service that nobody uses. */
@Component(service = QueueCommand.class, property = {"osgi.command.scope=bywash", "osgi.command.function=queues"})
public final class QueueCommand {
  private final BusWatcher watcher;

  @Reference
  private volatile List<ConfiguredQueue> configurations;

  /** Called by Declarative Services. */
  @Activate
  public QueueCommand(@Reference BusWatcher watcher) {
    this.watcher = watcher;
  }

  /** Lists all queues, the listeners and configurations of this container, and the files that are not usable. */
  public String queues() {
    StatusText text = new StatusText();
    watcher.describe(text);
    text.table(List.of("CONFIGURATION", "SEGMENT", "QUEUE", "STATE"),
        configurations.stream().map(ConfiguredQueue::row).toList());
    return text.toString().isEmpty() ? "There are no queues, listeners and configurations." : text.toString();
  }
}
