package io.bywash.samples.bench

import java.nio.file.Path
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.LinkedBlockingQueue
import kotlin.concurrent.thread
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlin.system.exitProcess

/**
 * One process of a measurement: it has the ends of one system that it was told to open, obeys one command a line from its
 * standard input, answers each with one line, and uses no CPU time in between. When its standard input ends it ends as well, whatever
 * it does at that time, and removes the directory of the measurement, in case that its parent was killed.
 */
class Child(private val contender: Contender, private val policy: Policy, private val channels: (Int) -> Channel) {
    private val writers = ArrayList<Writer>()
    private val readers = ArrayList<Reader>()
    private var medium: Medium? = null

    @Volatile
    private var isServing = false

    fun obey(words: List<String>): String {
        val numbers = words.drop(1).map { it.toLong() }
        return when (words[0]) {
            "writer" -> done { writers += contender.writer(channels(numbers[0].toInt()), policy) }
            "reader" -> done { readers += contender.reader(channels(numbers[0].toInt()), policy) }
            "connect" -> done { writers.forEach { it.connect() } }
            "medium" -> done { startMedium() }
            "serve" -> done { isServing = numbers[0] != 0L }
            "send" -> send(numbers[0], numbers[1])
            "receive" -> receive(readers[0], numbers[0], numbers[1])
            "stream" -> stream(numbers[0], numbers[1])
            "close" -> done { (writers + readers + listOfNotNull(medium)).forEach { it.close() } }
            else -> throw IllegalArgumentException(words[0])
        }
    }

    private fun done(action: () -> Unit): String {
        action()
        return "ok"
    }

    private fun startMedium() {
        val opened = contender.medium(channels(0).directory)
        medium = opened
        thread(isDaemon = true) {
            while (true) {
                opened.turn()
                if (!isServing) {
                    Thread.sleep(1)
                } else {
                    Thread.sleep(0, 100_000)
                }
            }
        }
    }

    /** Sends the messages with the first words [from] until [until]. */
    private fun send(from: Long, until: Long): String {
        val start = System.nanoTime()
        var next = from
        while (next < until) {
            val end = minOf(next + CHUNK, until)
            sendChunk(writers[0], next, end)
            next = end
        }
        writers[0].flush()
        return "ok start=$start end=${System.nanoTime()} sum=${Payload.sum(from, until)}"
    }

    private fun sendChunk(writer: Writer, from: Long, until: Long) {
        for (first in from until until) {
            writer.send(first)
        }
    }

    /** Receives what [send] sends: all of it, or, of a system that loses some, up to the last one. */
    private fun receive(reader: Reader, from: Long, until: Long): String {
        reader.sum = 0
        var received = 0L
        println("ok")
        if (contender.isLossless) {
            while (received < until - from) {
                received += reader.receive(LIMIT)
            }
        } else {
            while (reader.last < until - 1) {
                received += reader.receive(LIMIT)
            }
        }
        return "ok end=${System.nanoTime()} received=$received sum=${reader.sum} last=${reader.last}"
    }

    /** Both in this process, for systems that need it. */
    private fun stream(from: Long, until: Long): String {
        val start = CyclicBarrier(readers.size + 1)
        val answers = arrayOfNulls<String>(readers.size)
        val threads = readers.indices.map { index ->
            thread {
                start.await()
                answers[index] = receive(readers[index], from, until)
            }
        }
        start.await()
        val sent = send(from, until)
        threads.forEach { it.join() }
        return (listOf(sent) + answers).joinToString(" | ")
    }

    companion object {
        const val CHUNK = 1024L

        /** The most messages of one look. */
        const val LIMIT = 1024

        /** Arguments: contender, policy, directory, bytes of a ring, readers of a channel. */
        @JvmStatic
        fun main(arguments: Array<String>) {
            val directory = Path.of(arguments[2])
            val lines = LinkedBlockingQueue<String>()
            thread(isDaemon = true) {
                generateSequence(::readLine).forEach(lines::put)
                removeQuietly(directory)
                Runtime.getRuntime().halt(0)
            }
            val child = Child(contender(arguments[0]), Policy.valueOf(arguments[1])) {
                Channel(directory, it, arguments[3].toLong(), arguments[4].toInt())
            }
            while (true) {
                try {
                    println(child.obey(lines.take().split(' ')))
                } catch (failure: Throwable) {
                    failure.printStackTrace()
                    println("error $failure")
                    exitProcess(1)
                }
            }
        }
    }
}

/** Removes a directory with everything in it, as far as that is possible. */
@OptIn(ExperimentalPathApi::class)
fun removeQuietly(directory: Path) {
    try {
        directory.deleteRecursively()
    } catch (somebodyElseDoesTheSame: java.io.IOException) {
        // whoever comes last removes what is left
    }
}
