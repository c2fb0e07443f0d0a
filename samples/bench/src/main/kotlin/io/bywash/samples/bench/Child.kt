package io.bywash.samples.bench

import java.nio.file.Path
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.system.exitProcess

/**
 * One process of a measurement: it has the ends of one system that it was told to open, obeys one command a line from
 * its standard input, and answers with a line. In between it uses no CPU time. When its standard input ends it ends as
 * well, whatever it does at that time, and removes the directory of the measurement, in case its parent was killed.
 */
class Child(private val contender: Contender, private val policy: Policy, private val channels: (Int) -> Channel) {
    private val writers = ArrayList<Writer>()
    private val readers = ArrayList<Reader>()
    private lateinit var drainer: Drainer
    private lateinit var server: MediumServer

    fun obey(words: List<String>): String {
        val numbers = words.drop(1).map { it.toLong() }
        return when (words[0]) {
            "writer" -> done { writers += contender.writer(channels(numbers[0].toInt()), policy) }
            "reader" -> done { readers += contender.reader(channels(numbers[0].toInt()), policy) }
            "connect" -> done { writers.forEach { it.connect() } }
            "medium" -> done { server = MediumServer(contender.medium(channels(0).directory)) }
            "serve" -> done { server.pause(numbers[0]) }
            "rest" -> done { server.pause(REST_NANOS) }
            "sendLast" -> Loops.send(writers.last(), 0, numbers[0])
            "send" -> Loops.send(writers[0], numbers[0], numbers[1])
            "receive" -> receive(readers[0], numbers[0], numbers[1])
            "drain" -> done { drainer = Drainer(readers[0]) }
            "drained" -> drainer.endWhenEmpty()
            "hold" -> done { readers[0].hold() }
            "stream" -> stream(numbers[0], numbers[1])
            "pace" -> Loops.pace(writers[0], numbers[0], numbers[1], numbers[2])
            "wake" -> Loops.wake(writers[0], numbers[0], numbers[1])
            "ages" -> said { Loops.ages(readers[0], numbers[0], numbers[1]) }
            "ping" -> Loops.ping(writers[0], readers[0], numbers[0])
            "pong" -> said { Loops.pong(writers[0], readers[0], numbers[0]) }
            "close" -> done { (writers + readers).forEach { it.close() } }
            else -> contender.obey(words, channels(0).directory, writers, readers)
        }
    }

    private fun done(action: () -> Unit): String {
        action()
        return "ok"
    }

    /** Readers say that they have started, so that the writer starts after them. */
    private fun said(loop: () -> String): String {
        println("ok")
        return loop()
    }

    private fun receive(reader: Reader, from: Long, until: Long) = said {
        if (contender.isLossless) Loops.receiveAll(reader, until - from) else Loops.receiveUntil(reader, until - 1)
    }

    /** Writer and readers in this process, for systems that need it. */
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
        val sent = Loops.send(writers[0], from, until)
        threads.forEach { it.join() }
        return (listOf(sent) + answers).joinToString(" | ")
    }

    /** Takes what comes, in a thread of its own, until it is told that no more will. */
    private class Drainer(private val reader: Reader) {
        @Volatile
        private var isEnding = false
        private var received = 0L

        /** The time of the last message. */
        private var end = Long.MIN_VALUE
        private val drain = thread {
            reader.sum = 0
            while (true) {
                val wasEnding = isEnding
                val count = reader.receive(Loops.LIMIT)
                received += count
                if (count > 0) {
                    end = System.nanoTime()
                }
                if (wasEnding && count == 0) {
                    break
                }
            }
        }

        fun endWhenEmpty(): String {
            isEnding = true
            drain.join()
            return "ok end=$end received=$received sum=${reader.sum}"
        }
    }

    /** Takes the turns of a medium in a thread of its own, with a pause after each. */
    private class MediumServer(private val turn: () -> Unit) {
        /** Written by who asks; an object for each request, so that two of the same length are told apart. */
        @Volatile
        private var wanted = Pause(REST_NANOS)

        /** Under which request the last whole turn was taken; written by the thread of the turns. */
        @Volatile
        private var taken: Pause? = null
        private val turns = thread(isDaemon = true) {
            while (true) {
                val pause = wanted
                turn()
                taken = pause
                LockSupport.parkNanos(pause.nanos)
            }
        }

        /** Sets the pause, ends the present one, and returns after a whole turn. */
        fun pause(nanos: Long) {
            val pause = Pause(nanos)
            wanted = pause
            while (taken !== pause) {
                check(turns.isAlive) { "the medium has failed" }
                LockSupport.unpark(turns) // again and again: a turn may park, and so use the permit
                LockSupport.parkNanos(ASK_NANOS)
            }
        }

        private class Pause(val nanos: Long)

        private companion object {
            const val ASK_NANOS = 20_000L
        }
    }

    companion object {
        private const val REST_NANOS = 20_000_000L

        /** Arguments: contender, policy, directory, bytes of a ring, readers of a channel. */
        @JvmStatic
        fun main(arguments: Array<String>) {
            val directory = Path.of(arguments[2])
            val lines = commands(directory)
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
