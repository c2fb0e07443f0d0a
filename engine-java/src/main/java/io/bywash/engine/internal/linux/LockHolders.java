package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the processes that hold locks on a file, to be named in messages. The kernel shows only those processes whose
 * descriptors this one may inspect.
 */
public final class LockHolders {
  private LockHolders() {}

  /** The ids of the processes, without those that this process may not inspect. */
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
      // nobody can be named
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
    } catch (IOException | DirectoryIteratorException endedOrHidden) {
      // the process has ended, or is another user's
    }
    return false;
  }
}
