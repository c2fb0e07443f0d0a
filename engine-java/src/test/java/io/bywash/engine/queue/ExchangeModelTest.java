package io.bywash.engine.queue;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.queue.ExchangeModel.Mutation;
import io.bywash.engine.queue.ExchangeModel.Violation;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every order of steps of a few roles, with deaths before any of them: no slot has two owners, no message is lost. */
@Tag("once")
@Timeout(3600)
class ExchangeModelTest {
  private static final int SMALL = 1 << 22;
  private static final int LARGE = 1 << 28;

  @ParameterizedTest
  @CsvSource({"1, 2, 2, 2, 0, false", "2, 2, 2, 1, 0, false", "1, 3, 1, 1, 0, false", "1, 2, 1, 2, 2, true"})
  void inNoStateASlotHasTwoOwnersOrAMessageIsLost(int cells, int roles, int messages, int deaths, int limit,
      boolean zombies) {
    explore(cells, roles, messages, deaths, limit, zombies, SMALL);
  }

  @ParameterizedTest
  @CsvSource({"1, 3, 2, 1, 0, false", "1, 3, 2, 1, 1, false", "1, 2, 2, 2, 1, false", "2, 2, 2, 1, 1, false"})
  @Tag("stress")
  void inNoneOfManyStatesASlotHasTwoOwnersOrAMessageIsLost(int cells, int roles, int messages, int deaths, int limit,
      boolean zombies) {
    explore(cells, roles, messages, deaths, limit, zombies, LARGE);
  }

  private static void explore(int cells, int roles, int messages, int deaths, int limit, boolean zombies, int most) {
    long states =
        new ExchangeModel(cells, roles, messages, deaths, limit, zombies, Mutation.NONE, most).explore();
    System.out.println("slot exchange: " + states + " states with " + cells + " cells, " + roles + " roles, " + messages
        + " messages, " + deaths + " deaths" + (zombies ? ", false ones too" : ""));
    assertTrue(states > 10_000, states + " states");
  }

  static Stream<Arguments> mutations() {
    return Stream.of(
        Arguments.of(Mutation.MOVES_BEFORE_ROLES, 2, 2, 0),
        Arguments.of(Mutation.WANT_BEFORE_AT, 3, 2, 0),
        Arguments.of(Mutation.NO_ROLES, 3, 2, 0),
        Arguments.of(Mutation.NO_MOVES, 3, 2, 0),
        Arguments.of(Mutation.NO_FENCE, 2, 1, 2),
        Arguments.of(Mutation.GIVE_BACK_FORGETS, 2, 1, 2),
        Arguments.of(Mutation.LETS_GO_FIRST, 2, 1, 2));
  }

  @ParameterizedTest
  @MethodSource("mutations")
  void aFaultInTheProtocolIsFound(Mutation mutation, int roles, int messages, int limit) {
    int deaths = mutation == Mutation.NO_FENCE ? 2 : 1;
    ExchangeModel faulty = new ExchangeModel(1, roles, messages, deaths, limit, limit > 0, mutation, LARGE >> 4);
    Violation found = assertThrows(Violation.class, faulty::explore);
    System.out.println("slot exchange: " + mutation + ": " + found.getMessage().lines().findFirst().orElseThrow());
  }

  @Test
  void moreStatesThanThereIsRoomForAreNoSuccess() {
    assertThrows(IllegalStateException.class,
        () -> new ExchangeModel(1, 2, 2, 1, 2, false, Mutation.NONE, 1 << 10).explore());
  }
}
