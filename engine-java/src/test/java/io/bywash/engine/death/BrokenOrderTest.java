package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An engine whose stores stand in a wrong order, or miss, is found out: faults are put into its class files. */
@Timeout(300)
class BrokenOrderTest {
  @RegisterExtension final TempBus bus = new TempBus();

  @ParameterizedTest(name = "{0} {1}, {2}: {3}")
  @CsvSource(delimiter = '|', emptyValue = "", value = {
      "RecordWriter.room setLong | 0 | RecordWriter.publishRecord setLongRelease | claim and commit",
      "RecordWriter.room setLong | 1 | RecordWriter.publishRecord setLongRelease | claim and commit",
      "ClaimView.putLong setLong | 0 | RecordWriter.publishRecord setLongRelease | claim and commit in a ring that turned",
      "RecordWriter.extendGrant setLong | 0 | RecordWriter.publishRecord setLongRelease | wrap with padding",
      "RecordWriter.giveUpBefore setLongRelease | 0 | '' | commit as many as fill the ring",
      "DirectoryTable.writeRow setLongOpaque | 0 | DirectoryTable.setState setLongRelease | add an entry",
      "BlockIndex.note setLongRelease | 0 | '' | commit as many as fill the ring",
      "SegmentCore.format setIntRelease | 0 | '' | create",
  })
  void aFaultInTheOrderOfStoresIsReported(String store, int number, String until, String operation) {
    Breakage breakage = new Breakage(store, number, until);
    List<Trial.Found> found = Trial.run(new Rewriter(breakage), Operations.named(operation), bus.directory());
    assertTrue(breakage.isDone(), "there is no such store: " + breakage);
    Path root = bus.directory();
    AssertionError report = assertThrows(AssertionError.class,
        () -> DeathAtEveryStoreTest.examineAll(found, root, operation), breakage + " was not noticed");
    System.out.println("death at every store: " + breakage + ", reported: " + report.getMessage());
  }
}
