package io.bywash.samples.bench

import io.bywash.bus.Receiver
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.bus
import io.bywash.bus.MiB
import java.lang.management.ManagementFactory
import java.nio.file.Files
import java.nio.file.Path
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** The loops that are measured and need a coroutine for all of their steps. They answer as [Loops] do. */
object CoroutineLoops {
    private const val RECEIVERS_OF_A_TOPIC = 1000
    private const val REPEATED = 20
    private const val STEPS = 10_000

    fun obey(words: List<String>, directory: Path, writers: List<Writer>, readers: List<Reader>): String {
        val writer = writers.firstOrNull() as? CoroutineWriter
        val reader = readers.firstOrNull() as? CoroutineReader
        return when (words[0]) {
            "coPing" -> ping(writer!!, reader!!, words[1].toLong())
            "coPong" -> pong(writer!!, reader!!, words[1].toLong())
            "sleepers" -> sleepers(directory, words[1].toInt())
            "allocate" -> allocate(writer!!, reader!!)
            else -> throw IllegalArgumentException(words[0])
        }
    }

    /** Sends a message and awaits its echo, so many times. */
    private fun ping(writer: CoroutineWriter, reader: CoroutineReader, count: Long): String {
        val times = Loops.histogram()
        val words = Content(0)
        runBlocking(writer.context) {
            for (i in 0 until count) {
                val start = System.nanoTime()
                words.first = start
                writer.sender.send(words)
                reader.receiveOne()
                times.recordValue(System.nanoTime() - start)
                check(reader.last == start) { "sent $start, got ${reader.last} back" }
            }
        }
        return "ok " + Loops.percentiles(times)
    }

    private fun pong(writer: CoroutineWriter, reader: CoroutineReader, count: Long): String {
        println("ok")
        val words = Content(0)
        runBlocking(writer.context) {
            for (i in 0 until count) {
                reader.receiveOne()
                words.first = reader.last
                writer.sender.send(words)
            }
        }
        return "ok"
    }

    /** Coroutines that wait for messages which never come; answers how many threads this process has then, and had. */
    @OptIn(DelicateCoroutinesApi::class)
    private fun sleepers(directory: Path, count: Int): String {
        val before = threads()
        val topicCount = (count + RECEIVERS_OF_A_TOPIC - 1) / RECEIVERS_OF_A_TOPIC
        val topics = List(topicCount) { Topic("q$it", ContentCodec(isReusing = true)) }
        val name = "sleepers-${ProcessHandle.current().pid()}"
        val bus = bus(name) {
            topics.forEach {
                topic(it) {
                    ring = 1.MiB
                    receivers = RECEIVERS_OF_A_TOPIC
                }
            }
        }.open(directory)
        val receivers = List(count) { bus.receiver(topics[it / RECEIVERS_OF_A_TOPIC]) }
        val scope = GlobalScope // until the process ends
        receivers.forEach { scope.launch(Dispatchers.Default) { it.receive() } }
        return "ok before=$before threads=${threads()}"
    }

    private fun threads() = Files.list(Path.of("/proc/self/task")).use { it.count() }

    /** Bytes that one operation allocates when it does not suspend: the least of several series. */
    private fun allocate(writer: CoroutineWriter, reader: CoroutineReader): String = runBlocking {
        val sender = writer.sender
        val receiver = reader.receiver
        val words = Content(1)
        val perOperation = linkedMapOf(
            "sendReceive" to milliBytes(2) {
                sender.send(words)
                receiver.receive()
            },
            "trySendTryReceive" to milliBytes(2) {
                sender.trySend(words)
                taken(receiver)
            },
        )
        val shared = sender.shared()
        perOperation["sharedSendReceiveResult"] = milliBytes(2) {
            shared.send(words)
            check(receiver.receiveResult().isSuccess)
        }
        "ok " + perOperation.entries.joinToString(" ") { (name, bytes) -> "$name=$bytes" }
    }

    private fun taken(receiver: Receiver<Content>) = check(receiver.tryReceive().isSuccess)

    private inline fun milliBytes(operations: Int, step: () -> Unit): Long {
        val threads = ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
        var least = Long.MAX_VALUE
        repeat(REPEATED) {
            val before = threads.currentThreadAllocatedBytes
            repeat(STEPS) { step() }
            least = minOf(least, threads.currentThreadAllocatedBytes - before)
        }
        return least * 1000 / (STEPS * operations)
    }
}
