package io.bywash.samples.bench

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Path
import kotlin.random.Random
import org.HdrHistogram.Histogram

/**
 * A system that takes part: how a process opens a writer and a reader of it, and how one message is sent and received.
 * Everything else (processes, rounds, clocks, checksums) is the harness's and the same for all.
 */
abstract class Contender(val name: String, val policies: List<Policy>) {
    /** Whether its readers get every message. */
    open val isLossless get() = true

    /** Whether it can have more than one message under way, and so take part in comparisons of throughput. */
    open val streams get() = true

    /** Whether writer and reader can be in different processes; if not, they are threads of one. */
    open val crossesProcesses get() = true

    /** Flags of the JVMs that it runs in. */
    open val jvmFlags: List<String> get() = NATIVE_ACCESS

    /** The sizes of messages that it has, in bytes; null for all. */
    open val sizes: Set<Int>? get() = null

    /** A program that obeys the commands of [Child] in place of a JVM; null for a JVM. */
    open fun program(directory: Path): List<String>? = null

    /** Whether the run goes on without it when it does not start. */
    open val mayFail get() = false

    /** A round sends no more than so many bytes. */
    open val maxRoundBytes get() = Long.MAX_VALUE

    /** Whether it needs a process of its own beside writers and readers, see [medium]. */
    open val hasMedium get() = false

    /** Opens the writing end; always before the reading ends of the channel. */
    abstract fun writer(channel: Channel, policy: Policy): Writer

    abstract fun reader(channel: Channel, policy: Policy): Reader

    /** Starts what that process does; each call of the result is one turn of its duties. */
    open fun medium(directory: Path): () -> Unit = throw UnsupportedOperationException(name)

    /** Does what only this system can be asked for; answers a line. */
    open fun obey(words: List<String>, directory: Path, writers: List<Writer>, readers: List<Reader>): String =
        throw IllegalArgumentException(words[0])

    companion object {
        val NATIVE_ACCESS = listOf("--enable-native-access=ALL-UNNAMED")
    }
}

/** One way from a writer to its readers; [ringBytes] is what the system may use for messages under way. */
class Channel(val directory: Path, val id: Int, val ringBytes: Long, val readers: Int) {
    val file: Path get() = directory.resolve("channel-$id")
}

/** What a side does while it can do nothing. */
enum class Policy {
    /** `onSpinWait`, then looks again. */
    SPIN,

    /** The system's own back-off: Agrona's `BackoffIdleStrategy` for the rivals, the default policy for Bywash. */
    BACKOFF,

    /** 200 times `onSpinWait` when nothing was found. */
    PAUSE200,

    /** 1,000 times `onSpinWait` when nothing was found. */
    PAUSE1000,

    /** 1,000 times `onSpinWait` whenever less than a full batch was found, so that the writer gets ahead. */
    LAZY,
    YIELD,
    PARK,

    /** Sleeps in the kernel until woken. */
    BLOCK,
    ;

    val key = name.lowercase()
}

/** The writing end of a channel, used by one thread. */
abstract class Writer : AutoCloseable {
    /** Waits until the readers are there. */
    open fun connect() {}

    /** Sends the message that [Payload] says, waiting for room by the policy. */
    abstract fun send(first: Long)

    /** Sends the messages with the first words [from] until [until], one after the other. */
    open fun sendAll(from: Long, until: Long) {
        for (first in from until until) {
            send(first)
        }
    }

    /** Makes everything that was sent visible. */
    open fun flush() {}

    override fun close() {}
}

/** The reading end of a channel, used by one thread. */
abstract class Reader : AutoCloseable {
    /** Sum of all words of all messages. */
    @JvmField
    var sum = 0L

    /** First word of the last message. */
    @JvmField
    var last = -1L

    /** How many messages it lost, if the system says that exactly; else -1. */
    open val lost get() = -1L

    /** What the sum has to be by the first words, for systems that lose messages. */
    @JvmField
    var expected = 0L

    /** Where the age of each message is noted, if its first word is a time. */
    @JvmField
    var ages: Histogram? = null

    /** Takes up to [limit] messages. May wait by the policy if there are none; returns how many there were. */
    abstract fun receive(limit: Int): Int

    /** Notes one message of a system that loses some: what arrives must be whole. */
    protected fun takeChecked(first: Long, messageSum: Long) {
        expected += Payload.sum(first, first + 1)
        take(first, messageSum)
    }

    /** Notes one message: its first word and the sum of all its words. */
    protected fun take(first: Long, messageSum: Long) {
        sum += messageSum
        last = first
        val noted = ages
        if (noted != null) {
            noted.recordValue(maxOf(System.nanoTime() - first, 0))
        }
    }

    /** Takes a message and keeps it, of a system in which others then do not get it. */
    open fun hold(): Unit = throw UnsupportedOperationException("hold")

    override fun close() {}
}

/**
 * What a message holds: its first word, chosen by the sender, and words that follow from it. Of one size in each JVM, a
 * constant for the compiler, as messages have in most programs. Up to [IN_WORDS_MAX_BYTES] the words are written one by
 * one, beyond that all but the first are copied from a template in one go. Readers always read word by word.
 */
object Payload {
    const val IN_WORDS_MAX_BYTES = 64

    @JvmField
    val SIZE: Int = Integer.getInteger("bench.size", 64)

    @JvmField
    val WORDS = SIZE / Long.SIZE_BYTES

    @JvmField
    val IN_WORDS = SIZE <= IN_WORDS_MAX_BYTES

    @JvmField
    val TEMPLATE = template()

    @JvmField
    val WORD_TEMPLATE = ByteBuffer.wrap(TEMPLATE).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().let { words ->
        LongArray(WORDS).also { words.get(it) }
    }

    private val templateSum = WORD_TEMPLATE.drop(1).sum()

    private fun template() = Random(SIZE).nextBytes(SIZE)

    /** The word at [index], when all are written one by one. */
    fun word(first: Long, index: Int) = first + index

    /** The sum of all words of the messages whose first words are [from] until [until]. */
    fun sum(from: Long, until: Long): Long {
        val count = until - from
        val firsts = if (count % 2 == 0L) count / 2 * (from + until - 1) else count * ((from + until - 1) / 2)
        return if (IN_WORDS) firsts * WORDS + count * (WORDS * (WORDS - 1) / 2) else firsts + count * templateSum
    }
}

/** The idle strategies of systems that have none of their own: the rivals' and the probes'. */
abstract class Idle {
    /** Called after each look, with what it found; the limit of the look was [limit]. */
    abstract fun idle(found: Int, limit: Int)

    private class Pause(private val spins: Int, private val isLazy: Boolean) : Idle() {
        override fun idle(found: Int, limit: Int) {
            if (found == 0 || isLazy && found < limit) {
                for (i in 0 until spins) {
                    Thread.onSpinWait()
                }
            }
        }
    }

    private class Yield : Idle() {
        override fun idle(found: Int, limit: Int) {
            if (found == 0) {
                Thread.yield()
            }
        }
    }

    private class Strategy(private val strategy: org.agrona.concurrent.IdleStrategy) : Idle() {
        override fun idle(found: Int, limit: Int) = strategy.idle(found)
    }

    companion object {
        fun of(policy: Policy): Idle = when (policy) {
            Policy.SPIN -> Pause(1, false)
            Policy.PAUSE200 -> Pause(200, false)
            Policy.PAUSE1000 -> Pause(1000, false)
            Policy.LAZY -> Pause(1000, true)
            Policy.YIELD -> Yield()
            Policy.BACKOFF -> Strategy(org.agrona.concurrent.BackoffIdleStrategy())
            Policy.PARK -> Strategy(org.agrona.concurrent.SleepingIdleStrategy())
            Policy.BLOCK -> throw IllegalArgumentException("nobody would wake it")
        }
    }
}
