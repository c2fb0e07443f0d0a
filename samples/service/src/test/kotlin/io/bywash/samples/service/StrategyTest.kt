package io.bywash.samples.service

import io.bywash.bus.BusTopology
import io.bywash.bus.cell.reader
import io.bywash.bus.queue.consumer
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** A test as users write it: the bus in one process, in a temporary directory on whatever file system that is. */
class StrategyTest {
    @TempDir
    lateinit var directory: Path

    private val trading: BusTopology = trading("trading")

    @Test
    fun cheapIsBoughtAndDearIsSold() {
        assertEquals(Order(1, 10, 9_799), Strategy.decide(Quote(1, 9_799)))
        assertEquals(Order(2, -10, 10_201), Strategy.decide(Quote(2, 10_201)))
        assertNull(Strategy.decide(Quote(3, 10_000)))
    }

    @Test
    fun eachQuoteThatIsCheapOrDearBecomesAnOrderAndMovesThePosition() = runBlocking(Dispatchers.Default) {
        trading.use(directory) { bus ->
            launch { Strategy.run(bus) }
            bus.sender(quotes).sendAll(listOf(Quote(1, 9_700), Quote(2, 10_000), Quote(3, 10_300)))
            val consumer = bus.consumer(orders)
            withTimeout(60.seconds) {
                assertEquals(Order(1, 10, 9_700), consumer.consumeOne { it })
                assertEquals(Order(3, -10, 10_300), consumer.consumeOne { it })
                val reader = bus.reader(position)
                var now = reader.next()
                while (now.quantity != 0L) now = reader.next()
                assertEquals(Position(0, 6_000), now)
            }
        }
    }

    @Test
    fun aStrategyThatIsStartedAgainGoesOnWithItsPosition() = runBlocking(Dispatchers.Default) {
        trading.use(directory) { bus ->
            val sender = bus.sender(quotes)
            val consumer = bus.consumer(orders)
            for (number in 1L..2) {
                val running = launch { trading.use(directory) { own -> Strategy.run(own) } } // as another process would
                sender.send(Quote(number, 9_000))
                withTimeout(60.seconds) { consumer.consumeOne { } }
                val reader = bus.reader(position)
                withTimeout(60.seconds) { while (reader.get()?.quantity != number * 10) reader.next() }
                reader.close()
                running.cancel()
                running.join()
            }
        }
    }
}
