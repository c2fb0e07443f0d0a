package io.bywash.bus.samples

import io.bywash.bus.TempBus
import io.bywash.bus.test
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class SamplesTest {
    @RegisterExtension
    val temp = TempBus()

    @Test
    fun theSamplesDoWhatTheySay() = test {
        assertEquals(Tick(1, 99.5), useABus(temp.directory))
        assertEquals(3, loopUntilTheSenderHasGone(temp.directory))
        assertEquals("alarm: fire", selectFromTwoTopics(temp.directory))
        assertEquals(0, skipWhatIsOld(temp.directory))
        market.use(temp.directory) { bus ->
            val receiver = bus.receiver(ticks)
            assertEquals("nothing there now", everyOutcomeOfTryReceive(receiver.tryReceive()))
            receiver.close()
            assertEquals("closed here", everyOutcomeOfTryReceive(receiver.tryReceive()))
        }
        filtering.use(temp.directory) { bus ->
            val receiver = bus.receiver(alarms)
            launch { bus.runRoutes() }
            val sender = bus.sender(ticks)
            sender.awaitReceivers(1, io.bywash.bus.PATIENCE)
            sender.sendAll(listOf(Tick(1, 50.0), Tick(2, 150.0)))
            assertEquals("2 costs 150.0", receiver.receive())
        }
    }

    @Test
    fun theSamplesOfTheOtherStructuresDoWhatTheySay() = test {
        assertEquals(listOf(1L, 2L), consumeJobs(temp.directory))
        assertEquals("job 7", selectOverAQueue(temp.directory))
        assertEquals(50.0, followAPrice(temp.directory))
        assertEquals(1, countInCells(temp.directory))
        assertEquals(500, keepTheNewest(temp.directory))
        assertEquals(42.0, callForAPrice(temp.directory))
        assertEquals(1, borrowAPlayer(temp.directory))
    }
}
