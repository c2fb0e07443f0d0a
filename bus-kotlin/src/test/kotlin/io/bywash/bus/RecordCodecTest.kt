package io.bywash.bus

import io.bywash.engine.record.Length
import io.bywash.engine.record.Records
import java.lang.invoke.MethodHandles
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class RecordCodecTest {
    @RegisterExtension
    val temp = TempBus()

    private sealed interface Event

    private enum class Side { BUY, SELL }

    @JvmRecord
    private data class Tick(val time: Long, val side: Side, @Length(8) val symbol: String) : Event

    @JvmRecord
    private data class Halt(val reason: Int) : Event

    private fun <T : Any> withQueue(codec: Codec<T>, block: suspend (Sender<T>, Receiver<T>) -> Unit) = test {
        val queue: Queue<T>
        val topology = bus("records") { queue = broadcast("values", codec) { ring = 4.KiB } }
        topology.open(temp.directory).use { block(it.sender(queue), it.receiver(queue)) }
    }

    @Test
    fun aPrivateRecordClassArrivesAsItWas() = withQueue(recordCodec<Tick>()) { sender, receiver ->
        for (i in 0L until 200) {
            val tick = Tick(i, Side.entries[(i % 2).toInt()], "S$i")
            sender.send(tick)
            assertEquals(tick, receiver.receive())
        }
        val refused = assertThrows(IllegalArgumentException::class.java) {
            kotlinx.coroutines.runBlocking { sender.send(Tick(1, Side.BUY, "ninechars")) }
        }
        assertTrue("symbol" in refused.message!! && "9 bytes" in refused.message!!, refused.message)
        sender.send(Tick(2, Side.BUY, "eight888"))
        assertEquals("eight888", receiver.receive().symbol)
    }

    @Test
    fun recordsOfASealedInterfaceShareAQueue() {
        val records: Records<Event> =
            Records.of(MethodHandles.lookup(), Event::class.java, Tick::class.java, Halt::class.java)
        withQueue(recordCodec(records)) { sender, receiver ->
            for (event in listOf(Tick(1, Side.SELL, ""), Halt(3), Tick(2, Side.BUY, "x"))) {
                sender.send(event)
                assertEquals(event, receiver.receive())
            }
        }
    }
}
