package io.bywash.osgi.it;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Creates segments full of queues in a process of its own: arguments are the bus directory, what the segments' names
 * begin with, how many, and how many queues each. It says how many there are, and keeps them until its input ends.
 */
final class ManyQueuesProgram {
  private ManyQueuesProgram() {}

  public static void main(String[] arguments) throws IOException {
    EntrySpec[] queues = IntStream.range(0, Integer.parseInt(arguments[3]))
        .mapToObj(number -> Broadcast.spec("q" + number, 4096, 1)).toArray(EntrySpec[]::new);
    List<Segment> segments = new ArrayList<>();
    for (int number = 0; number < Integer.parseInt(arguments[2]); number++) {
      segments.add(Segment.create(Path.of(arguments[0], arguments[1] + number), SegmentSpec.of(queues)));
    }
    System.out.println(segments.stream().mapToInt(segment -> segment.directory().entries().size()).sum());
    System.in.transferTo(System.out);
    segments.forEach(Segment::close);
  }
}
