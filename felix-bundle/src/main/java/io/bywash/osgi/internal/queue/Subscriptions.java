package io.bywash.osgi.internal.queue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Where named subscriptions go on: the next sequence of each in each segment that it was fed from. They lie in a file
 * of the bundle's data area, which updates and refreshes leave alone. It is written when one changes, at most once a
 * second, and when the bundle stops. Any thread may use it.
 */
public final class Subscriptions {
  /** So many are remembered, in the order of their last use. */
  private static final int CAPACITY = 1024;
  private static final long SAVE_NANOS = 1_000_000_000L;

  private final Path file;
  private final Log log;
  private final Set<Key> taken = new HashSet<>();
  private final Map<Key, Long> sequences = new Recent<>(CAPACITY);
  private boolean changed;
  /** Held while the file is written, which may take its time: the environment's lock is never held then. */
  private final Object writing = new Object();
  private boolean complained;
  private volatile long savedNanos;

  /** A subscription of a queue, which is named with its entry's id. Names have no blanks. */
  public record Key(String name, long segmentId, String queue) {}

  /** Reads the file; {@code file} is null where the framework has no storage. */
  public Subscriptions(Path file, Log log) {
    this.file = file;
    this.log = log;
    try {
      if (file != null && Files.exists(file)) {
        Files.readAllLines(file).forEach(this::read);
      }
    } catch (IOException | RuntimeException unreadable) {
      log.error("{} cannot be read: named subscriptions begin anew.", file, unreadable);
    }
  }

  private void read(String line) {
    String[] words = line.split(" ");
    sequences.put(new Key(words[0], Long.parseUnsignedLong(words[1], 16), words[2]), Long.parseLong(words[3]));
  }

  /** Takes a subscription; false while another listener has it. */
  synchronized boolean take(Key key) {
    return taken.add(key);
  }

  /** Gives a subscription back. */
  synchronized void giveBack(Key key) {
    taken.remove(key);
  }

  /** The sequence of the message that comes next; empty at the first time. */
  synchronized OptionalLong next(Key key) {
    Long next = sequences.get(key);
    return next == null ? OptionalLong.empty() : OptionalLong.of(next);
  }

  /** Remembers the sequence of the message that comes next. */
  synchronized void remember(Key key, long next) {
    Long before = sequences.get(key);
    long latest = before == null ? next : Math.max(before, next); // who is late knows less
    sequences.put(key, latest);
    changed |= before == null || before != latest;
  }

  /** Called again and again: saves what has changed. */
  public void tend() {
    if (System.nanoTime() - savedNanos > SAVE_NANOS) {
      save();
    }
  }

  /** Saves what has changed. */
  public void save() {
    synchronized (writing) {
      List<String> lines = file == null ? List.of() : takeChanged();
      if (lines.isEmpty()) {
        return;
      }
      boolean written = false;
      try {
        Path next = Files.write(file.resolveSibling(file.getFileName() + ".new"), lines);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        written = true;
        complained = false;
      } catch (IOException failure) {
        if (!complained) {
          complained = log.error("{} cannot be written: named subscriptions are not remembered.", file, failure);
        }
      } finally {
        if (!written) {
          setChanged();
        }
      }
    }
  }

  /** All lines of the file; none when nothing has changed since they were taken last. */
  private synchronized List<String> takeChanged() {
    if (!changed) {
      return List.of();
    }
    savedNanos = System.nanoTime();
    List<String> lines = sequences.entrySet().stream().map(each -> each.getKey().name() + " "
        + Long.toHexString(each.getKey().segmentId()) + " " + each.getKey().queue() + " " + each.getValue()).toList();
    changed = false;
    return lines;
  }

  private synchronized void setChanged() {
    changed = true;
  }
}
