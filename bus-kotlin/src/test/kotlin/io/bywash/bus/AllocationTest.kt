package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.engine.Message
import java.lang.management.ManagementFactory
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** An operation that does not suspend allocates nothing. */
@Timeout(120)
class AllocationTest {
    @RegisterExtension
    val temp = TempBus()

    /** Has one value, so that reading makes none. */
    private object Same : DirectCodec<String> {
        override fun length(value: String) = 8

        override fun write(value: String, writer: MessageWriter) {
            writer.putLong(0, 1)
        }

        override fun read(message: Message): String {
            check(message.getLong(0) == 1L)
            return "same"
        }
    }

    private val same = Topic("same", Same)
    private val topology = bus("allocation") { topic(same) }

    private inline fun bytesAMessage(step: () -> Unit): Double {
        val threads = ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
        var least = Double.MAX_VALUE
        repeat(20) { // until what is done once has been done
            val before = threads.currentThreadAllocatedBytes
            repeat(10_000) { step() }
            least = minOf(least, (threads.currentThreadAllocatedBytes - before) / 10_000.0)
        }
        return least
    }

    @Test
    fun sendingAndReceivingAllocateNothing(): Unit = runBlocking {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(same)
            val sender = bus.sender(same)
            val shared = sender.shared()
            val bytes = mapOf(
                "send, receive" to bytesAMessage {
                    sender.send("same")
                    receiver.receive()
                },
                "trySend, tryReceive" to bytesAMessage {
                    sender.trySend("same")
                    check(receiver.tryReceive().isSuccess && receiver.tryReceive().isEmpty)
                },
                "shared, result" to bytesAMessage {
                    shared.send("same")
                    check(receiver.receiveResult().isSuccess)
                },
                "loop" to bytesAMessage {
                    sender.send("same")
                    for (message in receiver) {
                        check(message == "same")
                        break
                    }
                } - ITERATOR_BYTES,
            )
            assertTrue(bytes.values.all { it < 1 }, "bytes a message: $bytes")
        }
    }

    private companion object {
        /** A loop has one. */
        const val ITERATOR_BYTES = 16
    }
}
