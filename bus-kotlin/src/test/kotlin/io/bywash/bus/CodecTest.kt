package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.engine.Message
import kotlinx.coroutines.launch
import kotlinx.serialization.BinaryFormat
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.SerializationStrategy
import kotlinx.serialization.cbor.Cbor
import kotlinx.serialization.encodeToByteArray
import kotlinx.serialization.json.Json
import kotlinx.serialization.modules.SerializersModule
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
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
        val queue: Topic<T>
        val topology = bus("codec") { queue = topic("values", codec) { ring = 4.KiB } }
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
            assertEquals(text.encodeToByteArray().size, Codec.Text.prepare(text).length(text))
            sender.send(text)
            assertEquals(text, receiver.receive())
        }
    }

    @Test
    fun anUnpairedSurrogateIsRefused() {
        for (text in listOf("ab\ud83d", "ab\ud83dx", "ab\ude00", "ab\ud83d\ud83d")) {
            assertThrows(IllegalArgumentException::class.java) { Codec.Text.prepare(text) }
        }
    }

    private sealed interface Shape

    private data class Circle(val radius: Double) : Shape

    private data class Box(val width: Int, val height: Int) : Shape

    private object ShapeCodec : DirectCodec<Shape> {
        override fun length(value: Shape): Int = 8

        override fun type(value: Shape): Int = if (value is Circle) 1 else 2

        override fun write(value: Shape, writer: MessageWriter) {
            when (value) {
                is Circle -> writer.putDouble(0, value.radius)
                is Box -> writer.putInt(0, value.width).putInt(4, value.height)
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
        var prepareCalls = 0

        override fun prepare(value: String): Codec.Draft<String> {
            prepareCalls++
            val draft = text.prepare(value)
            return object : Codec.Draft<String> by draft {
                override fun write(value: String, writer: MessageWriter) {
                    check(value != "unwritable") { value }
                    draft.write(value, writer)
                }
            }
        }

        override fun read(message: Message): String = text.read(message).also { check(it != "unreadable") { it } }
    }

    @Test
    fun aValueIsEncodedOnceHoweverItIsSentAndHoweverLongThatWaits() {
        val codec = Counting()
        withQueue(codec) { sender, receiver ->
            val sends = mapOf<String, suspend () -> Unit>(
                "send" to { sender.send("last") },
                "sendWithin" to { sender.sendWithin(PATIENCE, "last") },
                "sendAll" to { sender.sendAll(listOf("last")) },
                "shared" to { sender.shared().send("last") },
            )
            for ((name, send) in sends) {
                while (sender.trySend("first").isSuccess) { /* until it is full */ }
                codec.prepareCalls = 0
                test {
                    val sending = launch { send() }
                    eventually { sender.guard.isAwaited }
                    while (receiver.receive() != "last") { /* makes room */ }
                    sending.join()
                }
                assertEquals(1, codec.prepareCalls, name)
            }
        }
    }

    @Test
    fun aCodecThatThrowsSpoilsNothingAndNamesTheMessage() = withQueue(Counting()) { sender, receiver ->
        assertEquals("unwritable", runCatching { sender.send("unwritable") }.exceptionOrNull()?.message)
        sender.send("first")
        sender.send("unreadable")
        sender.send("second")
        assertEquals("first", receiver.receive())
        val undecodable = runCatching { receiver.receive() }.exceptionOrNull() as DecodingException
        assertEquals("unreadable", undecodable.cause?.message)
        assertEquals("values", undecodable.queue)
        assertEquals(1, undecodable.sequence)
        assertTrue(undecodable.message!!.startsWith("Message 1 of queue \"values\" "), undecodable.message)
        assertEquals("second", receiver.receive())
        assertTrue(receiver.tryReceive().isEmpty)
    }

    @Test
    fun aBatchEndsBeforeAMessageThatCannotBeDecoded() = withQueue(Counting()) { sender, receiver ->
        sender.sendAll(listOf("a", "b", "unreadable", "c"))
        assertEquals(listOf("a", "b"), receiver.receiveBatch(10))
        assertTrue(runCatching { receiver.receiveBatch(10) }.exceptionOrNull() is DecodingException)
        assertEquals(listOf("c"), receiver.receiveBatch(10))
    }

    @Test
    fun aWriterCannotBeUsedAfterItsMessage() {
        var kept: MessageWriter? = null
        val keeping = object : DirectCodec<Long> {
            override fun length(value: Long) = 8

            override fun write(value: Long, writer: MessageWriter) {
                kept = writer
                assertEquals(8, writer.length)
                assertThrows(IndexOutOfBoundsException::class.java) { writer.putByte(8, 0) }
                writer.putLong(0, value)
            }

            override fun read(message: Message) = message.getLong(0)
        }
        withQueue(keeping) { sender, receiver ->
            sender.send(1)
            assertThrows(IndexOutOfBoundsException::class.java) { kept!!.putLong(0, 2) }
            assertEquals(1, receiver.receive())
        }
    }

    private fun <T : Any> roundTrip(codec: Codec<T>, vararg values: T) = withQueue(codec) { sender, receiver ->
        values.forEach { sender.send(it) }
        assertEquals(values.toList(), receiver.receiveBatch(values.size))
    }

    @JvmInline
    private value class Cents(val value: Long)

    @Test
    fun numbersAndValueClassesHaveCodecs() {
        roundTrip(Codec.Int32, 0, -1, Int.MAX_VALUE)
        roundTrip(Codec.Int64, 0, -1, Long.MIN_VALUE)
        roundTrip(Codec.Float64, 0.0, -1.5, Double.NaN)
        roundTrip(Codec.Int64.map(::Cents) { it.value }, Cents(7), Cents(-7))
        roundTrip(Codec.Text.map({ it.toInt() }, { it.toString() }), 1, 100_000)
        roundTrip(ShapeCodec.map({ listOf(it) }, { it.single() }), listOf(Circle(1.0)), listOf(Box(1, 2)))
    }

    /** A binary format, as CBOR is one. */
    private object JsonBytes : BinaryFormat {
        override val serializersModule: SerializersModule get() = Json.serializersModule

        override fun <T> encodeToByteArray(serializer: SerializationStrategy<T>, value: T): ByteArray =
            Json.encodeToString(serializer, value).encodeToByteArray()

        override fun <T> decodeFromByteArray(deserializer: DeserializationStrategy<T>, bytes: ByteArray): T =
            Json.decodeFromString(deserializer, bytes.decodeToString())
    }

    @Test
    @OptIn(ExperimentalSerializationApi::class)
    fun aFormatOfKotlinxSerializationIsUsedAsItIs() {
        val order = Triple(1L, 99.5, listOf("äö", ""))
        val codec = Cbor.codec<Triple<Long, Double, List<String>>>()
        roundTrip(codec, order, Triple(-1L, Double.NaN, emptyList()))
        withQueue(codec) { sender, receiver ->
            sender.send(order)
            assertEquals(1, receiver.poll(1) {
                assertArrayEquals(Cbor.encodeToByteArray(order), it.toBytes())
            })
            sender.claim(1) { putByte(0, -1) }
            assertTrue(runCatching { receiver.receive() }.exceptionOrNull() is DecodingException)
        }
    }

    @Test
    fun whatKotlinxSerializesHasACodec() {
        roundTrip(JsonBytes.codec<Map<String, List<Int>>>(), mapOf("a" to listOf(1, 2), "b" to emptyList()), emptyMap())
        withQueue(JsonBytes.codec<String>()) { sender, receiver ->
            sender.claim(1) { putByte(0, -1) }
            assertTrue(runCatching { receiver.receive() }.exceptionOrNull() is DecodingException)
            sender.send("next")
            assertEquals("next", receiver.receive())
        }
    }
}
