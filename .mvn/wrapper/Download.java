import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * Downloads a Maven distribution, checks its SHA-256 and unpacks it. Run by {@code mvnw}; it replaces curl, wget,
 * unzip and tar, so that a JDK is all that a fresh machine needs.
 *
 * <p>Arguments: the address of the zip file, its SHA-256, the folder that shall hold Maven afterwards. The folder
 * appears at once and complete, or not at all; several runs at the same time do not disturb each other.
 */
final class Download {
  public static void main(String[] args) throws Exception {
    URI address = URI.create(args[0]);
    String expected = args[1];
    Path home = Path.of(args[2]).toAbsolutePath();

    System.err.println("downloading " + address);
    byte[] zip = fetch(address);
    String actual = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(zip));
    if (!actual.equalsIgnoreCase(expected)) {
      throw fail("SHA-256 of " + address + " is " + actual + ", expected " + expected + ".");
    }
    Files.createDirectories(home.getParent());
    Path fresh = Files.createTempDirectory(home.getParent(), ".unpack-");
    try {
      unpack(zip, fresh);
      Files.move(fresh, home);
    } catch (FileSystemException e) {
      // Another run may have been faster; then its result serves.
      if (!Files.isExecutable(home.resolve("bin/mvn"))) {
        throw fail("cannot create " + home + ": " + e);
      }
    } finally {
      deleteTree(fresh);
    }
  }

  private static byte[] fetch(URI address) throws InterruptedException {
    try (HttpClient client = HttpClient.newBuilder()
        .followRedirects(HttpClient.Redirect.NORMAL)
        .proxy(ProxySelector.getDefault())
        .connectTimeout(Duration.ofSeconds(30))
        .build()) {
      HttpRequest request = HttpRequest.newBuilder(address).timeout(Duration.ofMinutes(10)).build();
      HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
      if (response.statusCode() != 200) {
        throw fail("cannot download " + address + ": HTTP status " + response.statusCode() + ".");
      }
      return response.body();
    } catch (IOException e) {
      throw fail("cannot download " + address + ": " + e + ". Behind a proxy, set "
          + "JAVA_TOOL_OPTIONS='-Dhttps.proxyHost=... -Dhttps.proxyPort=...'.");
    }
  }

  /** Unpacks without the single folder at the top of the archive. */
  private static void unpack(byte[] zip, Path target) throws IOException {
    try (ZipInputStream entries = new ZipInputStream(new ByteArrayInputStream(zip))) {
      for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
        String name = entry.getName().substring(entry.getName().indexOf('/') + 1);
        Path file = target.resolve(name).normalize();
        if (!file.startsWith(target)) {
          throw fail("the archive holds a path outside itself: " + entry.getName());
        }
        if (entry.isDirectory()) {
          Files.createDirectories(file);
          continue;
        }
        Files.createDirectories(file.getParent());
        Files.copy(entries, file);
        if (name.startsWith("bin/") && !name.contains(".") && !file.toFile().setExecutable(true, false)) {
          throw fail("cannot make " + file + " executable");
        }
      }
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (Files.exists(root)) {
      try (var paths = Files.walk(root)) {
        for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  private static RuntimeException fail(String message) {
    System.err.println("mvnw: " + message);
    System.exit(1);
    return new IllegalStateException();
  }
}
