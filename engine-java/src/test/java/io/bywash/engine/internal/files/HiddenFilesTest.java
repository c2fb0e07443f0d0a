package io.bywash.engine.internal.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which hidden file belongs to which segment. */
class HiddenFilesTest {
  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aSegmentWhoseNameContinuesThatOfAnotherOneIsAnotherOne() throws Exception {
    String hidden = HiddenFiles.name("a.b", 0x1234_5678_9ABC_DEF0L);
    try (OpenDirectory directory = OpenDirectory.of(bus.directory());
        SegmentFile file = HiddenFiles.create(directory, hidden, PosixFilePermissions.fromString("rw-------"))) {
      assertEquals(List.of(hidden), HiddenFiles.names(directory));
      assertTrue(HiddenFiles.isBeingCreated(directory, "a.b"));
      for (String other : List.of("a", "a.b.c", "b", "a.b.123456789abcdef0", "A.b")) {
        assertFalse(HiddenFiles.isBeingCreated(directory, other), other);
      }
      assertEquals(0, file.sizeBytes());
      assertTrue(directory.deleteIfExists(hidden));
    }
  }
}
