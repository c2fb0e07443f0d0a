package io.bywash.samples.tool

import io.bywash.engine.Participant
import io.bywash.engine.StructureStatus.Counter
import io.bywash.engine.StructureStatus.Effect
import io.bywash.engine.StructureStatus.Holder
import io.bywash.engine.StructureStatus.Obstacle
import io.bywash.engine.inspect.EntryRates
import io.bywash.engine.inspect.EntryRates.HolderRates
import java.util.Optional
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class JsonTest {
    @Test
    fun whatHappenedInAnEntryOfAnyKindIsOneObjectWithItsCountersRatesAndHolders() {
        val participant = Participant(0, 1, 77, true, true, 0, false, "feed", false)
        val keeper = Holder(3, 1, participant, "old man", "keeper", listOf(Counter.count("held", 2)))
        val rates = EntryRates(
            "lamp", "lighthouse", listOf(Counter.growing("flashes", 40), Counter.share("burnt", 1, 4)),
            mapOf("flashes" to 8.5),
            Optional.empty(), listOf(HolderRates(keeper, emptyMap())),
            listOf(Obstacle(3, Effect.STOPS, listOf(78L, 79L), "it sleeps", "wake it")),
        )
        val expected = """
            {"entry": "lamp", "kind": "lighthouse",
             "counters": [{"name": "flashes", "value": 40, "form": "COUNT_AND_RATE", "whole": 0},
                          {"name": "burnt", "value": 1, "form": "SHARE", "whole": 4}],
             "perSecond": {"flashes": 8.5}, "fill": null,
             "holders": [{"holder": {"role": 3, "generation": 1,
                                     "participant": {"id": 0, "epoch": 1, "pid": 77, "alive": true, "canWake": true,
                                                     "heartbeatNanos": 0, "leaving": false, "label": "feed",
                                                     "local": false},
                                     "label": "old man", "task": "keeper",
                                     "counters": [{"name": "held", "value": 2, "form": "COUNT", "whole": 0}]},
                          "perSecond": {}}],
             "obstacles": [{"role": 3, "effect": "STOPS", "heldBackPids": [78, 79],
                            "problem": "it sleeps", "advice": "wake it"}]}
        """
        assertEquals(Json.parseToJsonElement(expected).toString(), toJson(rates).toString())
    }
}
