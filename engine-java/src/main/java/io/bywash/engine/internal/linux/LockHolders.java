package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Who has locks on a file, for messages: the kernel tells it of those processes whose descriptors this one may look at.
 */
public final class LockHolders {
  private LockHolders() {}

  /** The ids of the processes; those that this process cannot look at are missing. */
  public static List<Long> of(Path file) {
    List<Long> holders = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
      for (Path process : processes) {
        if (holds(process.resolve("fdinfo"), inode)) {
          holders.add(Long.parseLong(process.getFileName().toString()));
        }
      }
    } catch (IOException | DirectoryIteratorException unknown) {
      // then nobody is named
    }
    return holders;
  }

  private static boolean holds(Path descriptors, String inode) {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(descriptors)) {
      for (Path descriptor : all) {
        if (Files.readString(descriptor).lines().anyMatch(line -> line.startsWith("lock:") && line.contains(inode))) {
          return true;
        }
      }
    } catch (IOException | DirectoryIteratorException ended) {
      // or another user's
    }
    return false;
  }
}
