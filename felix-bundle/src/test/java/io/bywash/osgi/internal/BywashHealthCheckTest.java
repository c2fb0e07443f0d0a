package io.bywash.osgi.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.osgi.runtime.RuntimeDTO;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.apache.felix.hc.api.Result;
import org.junit.jupiter.api.Test;

/** What the health check finds in what the runtime tells. */
class BywashHealthCheckTest {
  private static RuntimeDTO healthy() {
    RuntimeDTO dto = new RuntimeDTO();
    RuntimeDTO.DirectoryDTO directory = new RuntimeDTO.DirectoryDTO();
    directory.path = "/no/such/directory";
    directory.failure = "";
    dto.directories = new ArrayList<>(List.of(directory));
    dto.files = new ArrayList<>();
    RuntimeDTO.QueueDTO queue = new RuntimeDTO.QueueDTO();
    queue.segment = "market";
    queue.queue = "prices";
    queue.damage = "";
    queue.obstacles = List.of();
    queue.counters = Map.of();
    dto.queues = new ArrayList<>(List.of(queue));
    RuntimeDTO.ListenerDTO listener = new RuntimeDTO.ListenerDTO();
    listener.state = "NO_QUEUE";
    dto.listeners = new ArrayList<>(List.of(listener));
    RuntimeDTO.ConfigurationDTO configuration = new RuntimeDTO.ConfigurationDTO();
    configuration.state = "OPEN";
    dto.configurations = new ArrayList<>(List.of(configuration));
    dto.calls = new ArrayList<>();
    dto.missing = new ArrayList<>();
    return dto;
  }

  private static void assertFinds(Result.Status status, String text, Consumer<RuntimeDTO> fault) {
    RuntimeDTO dto = healthy();
    fault.accept(dto);
    Result result = BywashHealthCheck.of(dto);
    assertEquals(status, result.getStatus());
    assertTrue(StreamSupport.stream(result.spliterator(), false).anyMatch(entry -> entry.getStatus() == status
        && entry.getMessage().contains(text)), result.toString());
  }

  @Test
  void nothingIsWrongWithQueuesListenersAndConfigurationsThatAreAsTheyShouldBe() {
    assertFinds(Result.Status.OK, "1 queues, 1 listeners", dto -> { });
  }

  @Test
  void eachFaultIsFoundAndSaid() {
    assertFinds(Result.Status.CRITICAL, "not watched: gone", dto -> dto.directories.getFirst().failure = "gone");
    assertFinds(Result.Status.WARN, "is damaged", dto -> dto.queues.getFirst().damage = "is damaged");
    assertFinds(Result.Status.WARN, "stops the publisher",
        dto -> dto.queues.getFirst().obstacles = List.of("stops the publisher"));
    assertFinds(Result.Status.WARN, "95 %", dto -> dto.queues.getFirst().fill = 0.95);
    assertFinds(Result.Status.WARN, "TABLE_FULL", dto -> dto.listeners.getFirst().state = "TABLE_FULL");
    assertFinds(Result.Status.WARN, "BAD_VALUE", dto -> dto.configurations.getFirst().state = "BAD_VALUE");
    assertFinds(Result.Status.WARN, "bundle hostile", dto -> {
      RuntimeDTO.CallDTO call = new RuntimeDTO.CallDTO();
      call.keeper = "bundle hostile";
      dto.calls.add(call);
    });
    assertFinds(Result.Status.WARN, "/x/y cannot be used", dto -> {
      RuntimeDTO.FileDTO file = new RuntimeDTO.FileDTO();
      file.path = "/x/y";
      dto.files.add(file);
    });
  }

  @Test
  void jsonHoldsAllFieldsAndEscapesText() {
    RuntimeDTO.FileDTO file = new RuntimeDTO.FileDTO();
    file.path = "a \"b\"\n";
    file.reason = null;
    assertEquals("[{\"path\":\"a \\\"b\\\"\\u000a\",\"reason\":null}]", DtoJson.of(List.of(file)));
  }
}
