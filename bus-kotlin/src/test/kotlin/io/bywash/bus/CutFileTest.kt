package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.call.Endpoint
import io.bywash.bus.call.caller
import io.bywash.bus.call.endpoint
import io.bywash.bus.call.serve
import io.bywash.engine.DamagedSegmentException
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readLines
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.selects.select
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

/** The file of a bus is cut while it is used: every call says so, and the first close gives everything back. */
@Timeout(120)
class CutFileTest {
    @RegisterExtension
    val temp = TempBus()

    private val one = Topic("one", Codec.Text)
    private val two = Topic("two", Codec.Text)
    private val topology = bus("cut") {
        topic(one) {}
        topic(two) {}
    }
    private val file: Path
        get() = temp.directory.resolve("cut")

    private fun cut() {
        FileChannel.open(file, StandardOpenOption.WRITE).use { it.truncate(4096) }
    }

    private fun descriptors() = Path.of("/proc/self/fd").listDirectoryEntries().size

    private fun locks(inode: Any) = Path.of("/proc/locks").readLines().count { it.contains(":$inode ") }

    @ParameterizedTest
    @ValueSource(strings = ["", "sender", "receiver", "sender and receiver", "two senders", "two receivers"])
    fun theFirstCloseGivesEverythingBack(roles: String) {
        topology.open(temp.directory).use { it.sender(one) } // whatever is made once for a process
        val before = descriptors()
        val bus = topology.open(temp.directory)
        val inode = Files.getAttribute(file, "unix:ino")
        if ("sender" in roles) bus.sender(one)
        if ("receiver" in roles) bus.receiver(one)
        if ("two senders" in roles) bus.sender(two)
        if ("two receivers" in roles) bus.receiver(two)
        assertTrue(locks(inode) > 0)
        cut()
        assertThrows(DamagedSegmentException::class.java) { bus.close() }
        assertEquals(0, locks(inode))
        assertTrue(descriptors() <= before, "${descriptors()} descriptors, $before before")
        bus.close()
        Files.delete(file)
    }

    @Test
    fun everyCallSaysThatTheFileWasCut() {
        val bus = topology.open(temp.directory)
        val sender = bus.sender(one)
        val receiver = bus.receiver(one)
        cut()
        val calls = mapOf<String, suspend () -> Any?>(
            "send" to { sender.send("x") },
            "sendWithin" to { sender.sendWithin(1.milliseconds, "x") },
            "trySend" to { sender.trySend("x") },
            "receiverCount" to { sender.receiverCount },
            "awaitReceivers" to { sender.awaitReceivers(1, 1.milliseconds) },
            "receive" to { receiver.receive() },
            "receiveWithin" to { receiver.receiveWithin(1.milliseconds) },
            "tryReceive" to { receiver.tryReceive() },
            "receiveResult" to { receiver.receiveResult() },
            "receiveBatch" to { receiver.receiveBatch(2) },
            "loop" to { for (value in receiver) error(value) },
            "poll" to { receiver.poll(1) {} },
            "sendAll" to { sender.sendAll(listOf("x")) },
            "claim" to { sender.claim(1) { putByte(0, 0) } },
            "shared" to { sender.shared().send("x") },
            "onReceive" to { select { onReceive(receiver) { it } } },
            "onSend" to { select { onSend(sender, "x") {} } },
            "asFlow" to { receiver.asFlow().first() },
            "flow" to { bus.flow(two).first() },
            "sender" to { bus.sender(two) },
            "receiver" to { bus.receiver(two) },
        )
        calls.forEach { (name, call) ->
            assertThrows(DamagedSegmentException::class.java, { runBlocking { call() } }, name)
        }
        runCatching { bus.close() }
        Files.delete(file)
    }

    /** Whose writing fails in the middle, as deep as it was called. */
    private class Deep : DirectCodec<Int> {
        override fun length(value: Int) = 8

        override fun write(value: Int, writer: MessageWriter) {
            writer.putLong(0, sum(value))
        }

        private fun sum(depth: Int): Long = if (depth == 0) 0 else 1 + sum(depth - 1)

        override fun read(message: io.bywash.engine.Message) = message.getLong(0).toInt()
    }

    @Test
    fun aSendThatAStackOverflowEndsLeavesNothingOpen() {
        val deep = Topic("deep", Deep())
        bus("deep") { topic(deep) {} }.open(temp.directory).use { bus ->
            val receiver = bus.receiver(deep)
            val sender = bus.sender(deep)
            for (value in 1..20) {
                assertThrows(StackOverflowError::class.java) { sender.trySend(Int.MAX_VALUE) }
                assertTrue(sender.trySend(value).isSuccess)
                assertEquals(value, receiver.tryReceive().getOrNull())
            }
        }
    }

    @Test
    fun servingSaysThatTheFileWasCutThoughItsBlockIsSuspended() = test {
        val echo = Endpoint("echo", Codec.Text, Codec.Text)
        val bus = bus("cut") { endpoint(echo) }.open(temp.directory)
        val inside = CompletableDeferred<Unit>()
        val uncaught = ConcurrentLinkedQueue<Throwable>()
        val scope = CoroutineScope(Dispatchers.Default + CoroutineExceptionHandler { _, thrown -> uncaught += thrown })
        val calling = scope.async { runCatching { bus.caller(echo).call("x", 10.minutes) } }
        val serving = scope.async {
            runCatching {
                bus.serve(echo) {
                    inside.complete(Unit)
                    awaitCancellation()
                }
            }
        }
        inside.await()
        cut()
        assertEquals(DamagedSegmentException::class, serving.await().exceptionOrNull()!!::class)
        assertTrue(calling.await().isFailure)
        assertEquals(emptyList<Throwable>(), uncaught.toList())
        assertTrue(runCatching { bus.close() }.exceptionOrNull() is DamagedSegmentException)
        Files.delete(file)
    }

    @Test
    fun aScopeWhoseBusCannotBeClosedEndsWithAWarning() {
        withLog { records ->
            val lifetime = Job()
            topology.start(CoroutineScope(lifetime), temp.directory).sender(one)
            cut()
            lifetime.cancel()
            assertTrue(lifetime.isCompleted)
            val warnings = records.map { it.message }
            assertEquals(1, warnings.count { it.endsWith("could not be closed.") }, "$warnings")
        }
        Files.delete(file)
    }
}
