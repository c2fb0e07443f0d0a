package io.bywash.osgi.runtime;

import java.util.List;
import java.util.Map;
import org.osgi.dto.DTO;

/** Everything that {@link BywashRuntime} knows at one time. */
@SuppressWarnings("missing-explicit-ctor") // a DTO is its fields
public class RuntimeDTO extends DTO {
  /** The value of {@code service.changecount} that belongs to this. */
  public long changeCount;
  /** The watched directories. */
  public List<DirectoryDTO> directories;
  /** The segments in them that can be read. */
  public List<SegmentDTO> segments;
  /** The files in them that cannot be used. */
  public List<FileDTO> files;
  /** The queues of all segments. */
  public List<QueueDTO> queues;
  /** The listeners of this container. */
  public List<ListenerDTO> listeners;
  /** The configured structures of this container, and the segments that services ask for. */
  public List<ConfigurationDTO> configurations;
  /** Calls into the framework that have not returned for 5 s or more. */
  public List<CallDTO> calls;
  /** Sentences about bundles that are not there, and what is not possible without them. */
  public List<String> missing;

  /** A watched bus directory. */
  public static class DirectoryDTO extends DTO {
    /** Its path. */
    public String path;
    /** The PID of the configuration that names it. */
    public String pid;
    /** Why it cannot be watched; empty when it can. It is tried again. */
    public String failure;
  }

  /** A segment. */
  public static class SegmentDTO extends DTO {
    /** Its name. */
    public String name;
    /** Its file. */
    public String path;
    /** How many queues were seen in it. */
    public int queueCount;
  }

  /** A file in a bus directory that cannot be used. */
  public static class FileDTO extends DTO {
    /** Its path. */
    public String path;
    /** Why it cannot be used. */
    public String reason;
  }

  /** A queue, of whatever kind. */
  public static class QueueDTO extends DTO {
    /** Its segment. */
    public String segment;
    /** Its name. */
    public String queue;
    /** The segment's file. */
    public String path;
    /** What kind of queue it is, for example {@code broadcast}. */
    public String kind;
    /** How much it holds, in its kind's unit. */
    public long capacity;
    /** The size of an element, or of the largest message, in bytes. */
    public long elementSizeBytes;
    /** The process id of its owner; 0 when it has none. */
    public long ownerPid;
    /**
     * {@code AVAILABLE} (it is a service), {@code DRAINING} (it has lost its owner, its listeners are being fed), or
     * {@code NO_OWNER}.
     */
    public String state;
    /** The share that is taken, 0 to 1; -1 when that has no meaning for its kind. */
    public double fill;
    /** What its kind counts. */
    public Map<String, Long> counters;
    /** Those who hold roles in it. */
    public List<HolderDTO> holders;
    /** Sentences about holders that others wait for. */
    public List<String> obstacles;
    /** What is wrong with it; empty when nothing is. */
    public String damage;
  }

  /** Someone who holds a role in a queue. */
  public static class HolderDTO extends DTO {
    /** The process id. */
    public long pid;
    /** Whether the process is alive. */
    public boolean alive;
    /** What it does, for example {@code publisher} or the policy {@code block}. */
    public String task;
    /** What its program calls the role. */
    public String label;
    /** What its kind counts of it. */
    public Map<String, Long> counters;
  }

  /** A listener service. */
  public static class ListenerDTO extends DTO {
    /** Its service id. */
    public long serviceId;
    /** The symbolic name of its bundle. */
    public String bundle;
    /** The segment that it asks for. */
    public String segment;
    /** The queue that it asks for. */
    public String queue;
    /** The name of its subscription; empty when it has none. */
    public String subscription;
    /** The policy that it chose or got; empty before it joins. */
    public String policy;
    /** How many messages it was called with. */
    public long receivedCount;
    /** How many messages it lost. */
    public long lostCount;
    /** How often it has thrown an exception. */
    public long thrownCount;
    /** The reason code: {@code FEEDING}, or why not, see {@link io.bywash.osgi.QueueListener}. */
    public String state;
    /** A sentence about that; may be empty. */
    public String reason;
  }

  /** A configured structure, or a segment that a service of the type {@code SegmentSpec} asks for. */
  public static class ConfigurationDTO extends DTO {
    /** Its PID, or whose service it is. */
    public String pid;
    /** The segment that it asks for; empty when it does not say. */
    public String segment;
    /** The queue that it asks for; empty when it does not say. */
    public String queue;
    /**
     * The reason code: {@code OPEN}; {@code REFUSED} (it cannot be met, and is tried again); {@code BAD_VALUE} (a value
     * cannot be used; a queue that was there before stays); {@code UNWATCHED} (no discovery watches its directory, so
     * it is no service).
     */
    public String state;
    /** A sentence about that; may be empty. */
    public String reason;
    /** Keys that mean nothing. */
    public List<String> unknownKeys;
  }

  /** A call into the framework that has not returned for long. Nothing else waits for it. */
  public static class CallDTO extends DTO {
    /** What it is for. */
    public String call;
    /** Since when, in seconds. */
    public long seconds;
    /** The bundle that keeps it, as far as that can be told. */
    public String keeper;
  }

  /** A message in a queue. */
  public static class MessageDTO extends DTO {
    /** Its sequence. */
    public long sequence;
    /** Its length in bytes. */
    public int lengthBytes;
    /** Its beginning: as text if it is that, else in hexadecimal. */
    public String text;
  }
}
