package io.bywash.osgi.internal;

import io.bywash.osgi.runtime.BywashRuntime;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.util.List;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * The commands of the Gogo shell. They return DTOs, which {@link TextConverter} shows as text. Without a shell this is
 * a service that nobody uses.
 */
@Component(service = BywashCommands.class, property = {"osgi.command.scope=bywash", "osgi.command.function=queues",
    "osgi.command.function=ls", "osgi.command.function=stat", "osgi.command.function=tail"})
public final class BywashCommands {
  private final BywashRuntime runtime;
  private final Whiteboard whiteboard;

  /** Called by Declarative Services. */
  @Activate
  public BywashCommands(@Reference Whiteboard whiteboard) {
    this.whiteboard = whiteboard;
    this.runtime = whiteboard.runtime();
  }

  /** The listing as text. */
  @Descriptor("shows all queues, listeners and configurations, and what is wrong, as text")
  public String queues() {
    return RuntimeText.of(runtime.getRuntimeDTO());
  }

  /** The listing. */
  @Descriptor("lists all queues, listeners and configurations, and what is wrong")
  public RuntimeDTO ls() {
    return runtime.getRuntimeDTO();
  }

  /** The queues of one segment. */
  @Descriptor("shows the queues of a segment, and who holds roles in them")
  public List<RuntimeDTO.QueueDTO> stat(@Descriptor("the segment's name") String segment) {
    whiteboard.checkUsable(segment);
    return runtime.getRuntimeDTO().queues.stream().filter(queue -> queue.segment.equals(segment)).toList();
  }

  /** The last ten messages of a queue. */
  @Descriptor("shows the last ten messages of a queue, without taking them")
  public List<RuntimeDTO.MessageDTO> tail(@Descriptor("the segment's name") String segment,
      @Descriptor("the queue's name") String queue) {
    return tail(segment, queue, 10);
  }

  /** The last messages of a queue. */
  @Descriptor("shows the last messages of a queue, without taking them")
  public List<RuntimeDTO.MessageDTO> tail(@Descriptor("the segment's name") String segment,
      @Descriptor("the queue's name") String queue, @Descriptor("how many, at most 1000") int count) {
    return whiteboard.tail(segment, queue, Math.clamp(count, 1, 1000));
  }
}
