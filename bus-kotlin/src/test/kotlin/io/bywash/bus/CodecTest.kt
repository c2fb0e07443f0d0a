package io.bywash.bus

import io.bywash.engine.Claim
import io.bywash.engine.Message
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class CodecTest {
    @RegisterExtension
    val temp = TempBus()

    private fun <T : Any> withQueue(codec: Codec<T>, block: suspend (Sender<T>, Receiver<T>) -> Unit) = test {
        val queue: Queue<T>
        val topology = bus("codec") { queue = broadcast("values", codec) { ring = 4.KiB } }
        topology.open(temp.directory).use { block(it.sender(queue), it.receiver(queue)) }
    }

    @Test
    fun bytesArriveAsTheyAre() = withQueue(Codec.Bytes) { sender, receiver ->
        for (length in listOf(1, 2, 15, 16, 17, 512)) {
            val bytes = ByteArray(length) { (it * 7).toByte() }
            sender.send(bytes)
            assertArrayEquals(bytes, receiver.receive())
        }
    }

    @Test
    fun everyTextArrivesAsUtf8() = withQueue(Codec.Text) { sender, receiver ->
        val texts = listOf("a", "\u0000\u007f", "\u0080\u07ff", "\u0800\ud7ff\ue000\uffff", "aé€😀z")
        for (text in texts) {
            assertEquals(text.encodeToByteArray().size, Codec.Text.length(text))
            sender.send(text)
            assertEquals(text, receiver.receive())
        }
    }

    @Test
    fun anUnpairedSurrogateIsRefused() {
        for (text in listOf("ab\ud83d", "ab\ud83dx", "ab\ude00", "ab\ud83d\ud83d")) {
            val refused = assertThrows(IllegalArgumentException::class.java) { Codec.Text.length(text) }
            assertTrue(refused.message!!.contains("index 2"), refused.message)
        }
    }

    private sealed interface Shape

    private data class Circle(val radius: Double) : Shape

    private data class Box(val width: Int, val height: Int) : Shape

    private object ShapeCodec : Codec<Shape> {
        override fun length(value: Shape): Int = 8

        override fun type(value: Shape): Int = if (value is Circle) 1 else 2

        override fun write(value: Shape, claim: Claim) {
            when (value) {
                is Circle -> claim.putDouble(0, value.radius)
                is Box -> claim.putInt(0, value.width).putInt(4, value.height)
            }
        }

        override fun read(message: Message): Shape = when (message.type()) {
            1 -> Circle(message.getDouble(0))
            2 -> Box(message.getInt(0), message.getInt(4))
            else -> error("type=${message.type()}")
        }
    }

    @Test
    fun theTypeTellsTheCasesOfASealedClassApart() = withQueue(ShapeCodec) { sender, receiver ->
        val shapes = listOf(Circle(2.5), Box(3, 4))
        shapes.forEach { sender.send(it) }
        assertEquals(shapes, shapes.map { receiver.receive() })
    }

    private class Counting(private val text: Codec<String> = Codec.Text) : Codec<String> by text {
        var lengthCalls = 0

        override fun length(value: String): Int {
            lengthCalls++
            return text.length(value)
        }

        override fun write(value: String, claim: Claim) {
            check(value != "unwritable") { value }
            text.write(value, claim)
        }

        override fun read(message: Message): String = text.read(message).also { check(it != "unreadable") { it } }
    }

    @Test
    fun theLengthIsAskedOnceForEachSendHoweverLongItWaits() {
        val codec = Counting()
        withQueue(codec) { sender, receiver ->
            while (sender.trySend("first")) { /* until it is full */ }
            codec.lengthCalls = 0
            test {
                val sending = launch { sender.send("last") }
                eventually { sender.turn.isAwaited }
                while (receiver.receive() != "last") { /* makes room */ }
                sending.join()
            }
            assertEquals(1, codec.lengthCalls)
        }
    }

    @Test
    fun aCodecThatThrowsSpoilsNothing() = withQueue(Counting()) { sender, receiver ->
        assertEquals("unwritable", runCatching { sender.send("unwritable") }.exceptionOrNull()?.message)
        sender.send("first")
        sender.send("unreadable")
        sender.send("second")
        assertEquals("first", receiver.receive())
        assertEquals("unreadable", runCatching { receiver.receive() }.exceptionOrNull()?.message)
        assertEquals("second", receiver.receive())
        assertNull(receiver.tryReceive())
    }
}
