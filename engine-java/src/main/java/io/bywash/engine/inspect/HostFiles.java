package io.bywash.engine.inspect;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reads the small files in which the system describes itself. A file that is missing, unreadable or not understood
 * yields an empty result, never a failure.
 */
final class HostFiles {
  private static final int MAX_BYTES = 1 << 20;

  private final Path root;

  HostFiles(Path root) {
    this.root = root;
  }

  /** The path of a file, whose name is relative to the root. */
  Path path(String name) {
    return root.resolve(name);
  }

  boolean exists(String name) {
    return Files.exists(path(name));
  }

  Optional<String> read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return Optional.of(new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8).strip());
    } catch (IOException | SecurityException unknown) {
      return Optional.empty();
    }
  }

  List<String> lines(String name) {
    return read(path(name)).map(text -> text.lines().toList()).orElse(List.of());
  }

  /** The lines of a file that contain {@code text}. The file may have any length. */
  List<String> linesWith(Path file, String text) {
    List<String> found = new ArrayList<>();
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.contains(text)) {
          found.add(line);
        }
      }
    } catch (IOException | SecurityException unknown) {
      // the lines that could be read are returned
    }
    return found;
  }

  /** The target of a symbolic link, as text. */
  Optional<String> link(String name) {
    try {
      return Optional.of(Files.readSymbolicLink(path(name)).toString());
    } catch (IOException | SecurityException | UnsupportedOperationException unknown) {
      return Optional.empty();
    }
  }

  /** The files of a directory whose names have this ending, sorted. */
  List<Path> files(String directory, String ending) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path(directory), "*" + ending)) {
      files.forEach(found::add);
    } catch (IOException | java.nio.file.DirectoryIteratorException | SecurityException none) {
      return List.of();
    }
    found.sort(null);
    return found;
  }

  static OptionalLong number(String text) {
    try {
      return OptionalLong.of(Long.parseLong(text.strip()));
    } catch (NumberFormatException none) {
      return OptionalLong.empty();
    }
  }

  /** The effective user id of this process; empty when unknown. */
  static OptionalLong userId(Path root) {
    for (String line : new HostFiles(root).lines("proc/self/status")) {
      String[] fields = line.split("\\s+");
      if (fields[0].equals("Uid:") && fields.length > 2) {
        return number(fields[2]);
      }
    }
    return OptionalLong.empty();
  }

  /** A number of bytes for people, for example {@code 64 MiB}. */
  static String size(long bytes) {
    String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    boolean rounded = value >= 10 || value == Math.rint(value);
    return String.format(Locale.ROOT, rounded ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }
}
