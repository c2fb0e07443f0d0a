package io.bywash.samples.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/** Makes bus directories where a bus belongs. */
final class SharedMemory implements TempDirFactory {
  @Override
  public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test) throws IOException {
    return Files.createTempDirectory(Path.of("/dev/shm"), "bywash-test-");
  }
}
