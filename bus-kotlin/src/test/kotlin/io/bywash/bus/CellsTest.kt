package io.bywash.bus

import io.bywash.bus.cell.Atomics
import io.bywash.bus.cell.Latest
import io.bywash.bus.cell.NumberCells
import io.bywash.bus.cell.RecordCells
import io.bywash.bus.cell.atomics
import io.bywash.bus.cell.get
import io.bywash.bus.cell.latest
import io.bywash.bus.cell.numbers
import io.bywash.bus.cell.open
import io.bywash.bus.cell.reader
import io.bywash.bus.cell.records
import io.bywash.bus.cell.writer
import io.bywash.engine.SegmentClosedException
import io.bywash.engine.TableFullException
import java.lang.foreign.MemorySegment
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** Atomics, arrays and latest values. */
@Timeout(120)
class CellsTest {
    @RegisterExtension
    val temp = TempBus()

    private object State : Atomics("state") {
        val ready = int("ready")
        val last = long("last")
        val mean = double("mean")
        val over = boolean("over")
    }

    @JvmRecord
    private data class Price(val units: Long, val time: Long)

    private val price = Latest<Price>("price")
    private val text = Latest("text", Codec.Text)
    private val stats = RecordCells<Price>("stats")
    private val grid = NumberCells("grid", Float::class)
    private val topology = bus("cells") {
        atomics(State)
        latest(price)
        latest(text) { maxValue = 16.bytes }
        records(stats, 4)
        numbers(grid, 100)
    }

    @Test
    fun atomicsAreSharedByAllWhoOpenThem() = test {
        topology.use(temp.directory) { bus ->
            topology.use(temp.directory) { other ->
                val here = bus.open(State)
                val there = other.open(State)
                here[State.ready].getAndAdd(2)
                here[State.last].set(1L shl 40)
                here[State.mean].set(0.5)
                here[State.over].set(true)
                assertEquals(2, there[State.ready].get())
                assertEquals(1L shl 40, there[State.last].get())
                assertEquals(0.5, there[State.mean].get())
                assertTrue(there[State.over].get())
                assertTrue(there[State.ready].compareAndSet(2, 3))
                assertEquals(listOf("ready", "last", "mean", "over"), here.names())
                other.close()
                assertTrue(runCatching { there[State.ready].get() }.exceptionOrNull() is SegmentClosedException)
            }
        }
    }

    @Test
    fun arraysHoldRecordsAndNumbers() = test {
        topology.use(temp.directory) { bus ->
            val records = bus.open(stats)
            assertTrue(records.set(2, Price(3, 4)))
            assertEquals(listOf(null, Price(3, 4)), listOf(records[1], bus.open(stats)[2]))
            val floats = FloatArray(10) { it / 2f }
            bus.open(grid).write(90, MemorySegment.ofArray(floats))
            val read = FloatArray(10)
            bus.open(grid).read(90, MemorySegment.ofArray(read))
            assertArrayEquals(floats, read)
        }
    }

    @Test
    fun aReaderSeesTheValueThatWasSetLast() = test {
        topology.use(temp.directory) { bus ->
            val reader = bus.reader(price)
            assertNull(reader.get())
            assertNull(reader.nextWithin(1.milliseconds))
            val writer = bus.writer(price)
            for (i in 1L..50) writer.set(Price(i, -i))
            assertEquals(Price(50, -50), reader.next())
            assertEquals(50, reader.version)
            assertNull(reader.nextWithin(1.milliseconds))
            val waiting = async { reader.next() }
            eventually { reader.guard.isAwaited }
            writer.set(Price(51, 0))
            assertEquals(Price(51, 0), waiting.await())
            bus.writer(text).set("grüße")
            assertEquals("grüße", bus.reader(text).get())
            assertTrue(runCatching { bus.writer(price) }.exceptionOrNull() is TableFullException)
        }
    }

    @Test
    fun aValueThatIsTooLongIsRefusedAndTheOneBeforeStays() = test {
        topology.use(temp.directory) { bus ->
            val writer = bus.writer(text)
            writer.set("short")
            val refused = runCatching { writer.set("x".repeat(17)) }.exceptionOrNull()
            assertTrue(refused is IllegalArgumentException && "17" in refused.message!!, "$refused")
            assertEquals("short", bus.reader(text).get())
        }
    }

    @Test
    fun updatesAreWholeInOrderAndEndWithTheLastOne() = test {
        topology.use(temp.directory) { bus ->
            val reader = bus.reader(price)
            val seen = mutableListOf<Price>()
            val following = launch { reader.updates().onEach { seen += it }.first { it.units == 20_000L } }
            val writer = bus.writer(price)
            for (i in 1L..20_000) writer.set(Price(i, i * 3))
            following.join()
            assertEquals(seen.sortedBy { it.units }.distinct(), seen)
            assertTrue(seen.all { it.time == it.units * 3 })
        }
    }

    @Test
    fun aCloseOfSomethingElseThatTheCodecMeetsIsThrownAndIsNoEndOfUpdates() = test {
        topology.use(temp.directory) { bus ->
            val closed = bus.reader(price).also { it.close() }
            val meeting = Latest("text", Codec.Text.map({ "${closed.get()}$it" }, { it }))
            bus.writer(text).set("a")
            assertTrue(runCatching { bus.reader(meeting).updates().toList() }.exceptionOrNull() is BusClosedException)
        }
    }

    @Test
    fun updatesEndWhenTheReaderIsClosedAndCanBeCancelled() = test {
        topology.use(temp.directory) { bus ->
            bus.writer(price).set(Price(1, 2))
            val closed = bus.reader(price)
            val all = async { closed.updates().toList() }
            eventually { closed.guard.isAwaited }
            closed.close()
            assertEquals(listOf(Price(1, 2)), all.await())
            assertEquals(emptyList<Price>(), closed.updates().toList())
            val cancelled = bus.reader(price)
            val following = launch { cancelled.updates().collect() }
            eventually { cancelled.guard.isAwaited }
            following.cancelAndJoin()
            assertEquals(Price(1, 2), cancelled.get())
        }
    }
}
