package io.bywash.engine.death;

import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.ProcessIdentity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A bus directory as it is found after the death of everybody who was at work in it at one moment: all locks are free,
 * and no process has the pid and start time of one of them. Several names of one file are kept as such.
 */
final class Image {
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  /** One file, under one name or several. */
  private record Content(byte[] bytes, Set<PosixFilePermission> permissions) {
    boolean isSame(Content other) {
      return permissions.equals(other.permissions) && Arrays.equals(bytes, other.bytes);
    }
  }

  private final Map<String, Content> files = new TreeMap<>();

  /** The directory as it is now. */
  static Image of(Path directory) {
    Image image = new Image();
    Map<Object, Content> byInode = new HashMap<>();
    try {
      for (Path file : list(directory)) {
        Object inode = Files.getAttribute(file, "unix:ino");
        Content content = byInode.get(inode);
        if (content == null) {
          content = new Content(dead(Files.readAllBytes(file)), Files.getPosixFilePermissions(file));
          byInode.put(inode, content);
        }
        image.files.put(file.getFileName().toString(), content);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    return image;
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  /** The pids of the dead are other processes' now. */
  private static byte[] dead(byte[] bytes) {
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int id = 0; id < Scene.SLOTS; id++) {
      int ticks = SegmentLayout.HEADER_BYTES + id * SegmentLayout.SLOT_BYTES + SegmentLayout.SLOT_START_TICKS;
      if (ticks + Long.BYTES <= bytes.length && words.getLong(ticks) == ProcessIdentity.self().startTicks()) {
        words.putLong(ticks, words.getLong(ticks) + 1);
      }
    }
    return bytes;
  }

  /** Makes the directory and all files in it. */
  void writeTo(Path directory) {
    Map<Content, Path> first = new HashMap<>();
    try {
      Files.createDirectory(directory);
      for (Map.Entry<String, Content> file : files.entrySet()) {
        Path path = directory.resolve(file.getKey());
        Content content = file.getValue();
        Path linked = first.putIfAbsent(content, path);
        if (linked != null) {
          Files.createLink(path, linked);
        } else {
          Files.write(path, content.bytes);
          Files.setPosixFilePermissions(path, content.permissions);
        }
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Removes a directory and the files in it, those included that a thread which is just ending adds meanwhile. */
  static void delete(Path directory) {
    long start = System.nanoTime();
    while (!tryDelete(directory)) {
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new AssertionError(directory + " is filled again and again");
      }
    }
  }

  private static boolean tryDelete(Path directory) {
    try {
      for (Path file : list(directory)) {
        Files.deleteIfExists(file);
      }
      Files.delete(directory);
      return true;
    } catch (DirectoryNotEmptyException filledMeanwhile) {
      return false;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  Set<String> names() {
    return files.keySet();
  }

  /** Whether there is a hidden file of a creator of at least that size. */
  boolean hasHidden(long sizeBytes) {
    return files.entrySet().stream()
        .anyMatch(file -> file.getKey().endsWith(".tmp") && file.getValue().bytes.length >= sizeBytes);
  }

  /** A word of the segment's file; -1 when there is none yet. */
  long word(long offset) {
    Content segment = files.get(Scene.SEGMENT);
    return segment == null ? -1 : ByteBuffer.wrap(segment.bytes).order(ByteOrder.LITTLE_ENDIAN).getLong((int) offset);
  }

  /** Whether nobody could tell this one from the other. */
  boolean isSame(Image other) {
    if (other == null || !names().equals(other.names())) {
      return false;
    }
    for (String name : names()) {
      if (!files.get(name).isSame(other.files.get(name)) || linksOf(name) != other.linksOf(name)) {
        return false;
      }
    }
    return true;
  }

  private long linksOf(String name) {
    return files.values().stream().filter(content -> content == files.get(name)).count();
  }
}
