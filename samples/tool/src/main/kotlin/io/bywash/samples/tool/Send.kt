package io.bywash.samples.tool

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.bywash.engine.BusException
import io.bywash.engine.Entry
import io.bywash.engine.Kind
import io.bywash.engine.Lifetime
import io.bywash.engine.RoleTakenException
import io.bywash.engine.Segment
import io.bywash.engine.StructureStatus
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.inspect.SegmentStatus
import io.bywash.engine.queue.Producer
import io.bywash.engine.ring.RingWriter
import java.io.ByteArrayOutputStream
import java.io.InputStream
import java.util.concurrent.TimeUnit
import kotlin.jvm.optionals.getOrNull

/** Sends what the standard input holds, a message a line. */
class SendCommand : BusCommand(
    "send", "Sends each line of the standard input to a broadcast, a ring or a work queue; records as JSON, as `tail " +
        "--as json` shows them.",
) {
    private val segment by argument(help = "name of the segment", completionCandidates = segmentNames)
    private val name by argument(help = "name of the entry")
    private val format by option("--as", help = "what the lines are; json for records, else text, by default")
        .choice("text", "hex", "json")
    private val type by option(metavar = "NUMBER", help = "the messages' type, for those that are no records").int()
        .default(0)
    private val seconds by option("--timeout", metavar = "SECONDS", help = "how long to wait for room").int()
        .restrictTo(0).default(5)
    override val soughtName get() = segment

    override fun act() {
        Segment.observe(bus.path(segment)).use { observed ->
            val status = SegmentStatus.of(observed)
            if (!status.isInUse && status.lifetime == Lifetime.WHILE_USED) {
                fail("No living process uses segment $segment, so it would go with what you send. Start one first.")
            }
            entry(observed, name)
        }
        Segment.attach(bus.path(segment), 0).use { attached ->
            attached.label("bywash send")
            val entry = entry(attached, name)
            val typed = Typed(layouts(attached, name), format, type)
            sink(entry).use { send(it, typed, attached) }
        }
    }

    private fun send(sink: Sink, typed: Typed, attached: Segment) {
        val input = System.`in`.buffered()
        var number = 0
        for (line in generateSequence { readLine(input) }) {
            number++
            val sent = try {
                val (bytes, type) = typed.message(text(line))
                require(bytes.isNotEmpty()) { "it is empty, and a message has at least one byte" }
                sink.put(bytes, type, TimeUnit.SECONDS.toNanos(seconds.toLong()))
            } catch (wrong: IllegalArgumentException) {
                stop(number, wrong.message.orEmpty())
            } catch (failure: BusException) { // the entry was removed, for example
                stop(number, failure.message.orEmpty())
            }
            if (!sent) {
                val status = SegmentStatus.of(attached)
                val why = status.heldBack(status).firstOrNull { it.where == "$segment/$name" }?.problem
                stop(number, "there was no room for $seconds s" + (why?.let { ": $it" } ?: ", and nobody makes some"))
            }
        }
    }

    /** The bytes up to the end of the line, without that; null at the end. */
    private fun readLine(input: InputStream): ByteArray? {
        val line = ByteArrayOutputStream()
        var byte = input.read()
        if (byte < 0) {
            return null
        }
        while (byte >= 0 && byte != '\n'.code) {
            line.write(byte)
            byte = input.read()
        }
        return line.toByteArray().let { if (it.lastOrNull() == '\r'.code.toByte()) it.copyOf(it.size - 1) else it }
    }

    private fun text(line: ByteArray): String = try {
        line.decodeToString(throwOnInvalidSequence = true)
    } catch (wrong: CharacterCodingException) {
        throw IllegalArgumentException("it is no UTF-8", wrong)
    }

    private fun stop(line: Int, problem: String): Nothing =
        fail("line $line: ${if (problem.last() in ".?") problem else "$problem."} ${line - 1} " +
            "${if (line == 2) "message was" else "messages were"} sent.")

    private fun sink(entry: Entry): Sink = try {
        when (entry.kind()) {
            Kind.BROADCAST -> Publisher.open(entry).let { role -> Sink(role) { bytes, type, nanos ->
                role.offer(bytes, 0, bytes.size, type, nanos)
            } }
            Kind.WORK_QUEUE -> Producer.open(entry).let { role -> Sink(role) { bytes, type, nanos ->
                role.offer(bytes, 0, bytes.size, type, nanos)
            } }
            Kind.RING -> RingWriter.open(entry).let { role -> Sink(role) { bytes, _, nanos ->
                role.push(bytes, nanos)
            } }
            else -> throw IllegalArgumentException("Entry \"${entry.name()}\" is of kind " +
                "${entry.kind().displayName()}, and takes no messages. Broadcasts, rings and work queues do.")
        }
    } catch (taken: RoleTakenException) {
        throw busy(entry, taken)
    }

    /** Says not only which process has the role, but also what that is called. */
    private fun busy(entry: Entry, taken: RoleTakenException): BusException {
        val holder = StructureStatus.of(entry).getOrNull()?.holders().orEmpty()
            .firstOrNull { it.role == 0 && it.participant.pid == taken.holderPid() }
        val named = printable(holder?.participant?.who(holder.label) ?: return taken)
        return RoleTakenException(
            taken.message.orEmpty().replace("process ${taken.holderPid()}", named), taken.holderPid(),
        )
    }

    /** The role that takes messages; each within a time, or else false. */
    private class Sink(role: AutoCloseable, val put: (ByteArray, Int, Long) -> Boolean) :
        AutoCloseable by role
}
