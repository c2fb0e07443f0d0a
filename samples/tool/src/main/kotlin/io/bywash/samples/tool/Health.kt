package io.bywash.samples.tool

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.options.multiple
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import io.bywash.engine.Participant
import io.bywash.engine.StructureStatus.Effect
import io.bywash.engine.StructureStatus.Holder
import io.bywash.engine.inspect.EntryRates
import io.bywash.engine.inspect.StatusText
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.readText

/** A reason why a segment is not healthy. */
data class Problem(val check: String, val where: String, val problem: String)

private val CHECKS = arrayOf("damaged", "unused", "hung", "blocked", "reader", "space")

/** For whoever supervises processes: one line, and an exit status. */
class HealthCommand : LookCommand(
    "health", "Whether a segment is well: one line, and status 0, or 1 if it is damaged or unused, a participant " +
        "hangs, a writer is blocked, nobody reads what is written, or memory runs out.",
) {
    private val segment by argument(help = "name of the segment", completionCandidates = segmentNames)
    private val ignored by option("--ignore", help = "do not look at this: ${CHECKS.joinToString()}")
        .choice(*CHECKS).multiple()
    override val soughtName get() = segment

    override fun act() {
        val watch = Watch(bus, segment)
        watch.look()
        Thread.sleep(PAUSE_MILLIS)
        val look = watch.look().segments.singleOrNull() ?: fail("Segment $segment is gone.")
        val problems = problems(look).filter { it.check !in ignored }
        val line = when (problems.size) {
            0 -> "ok: segment $segment, ${look.now.participants.count { it.alive }} participants, " +
                "${look.now.entries.size} entries"
            else -> problems.first().run { "$check: $where: $problem" } +
                if (problems.size == 1) "" else " (and ${problems.size - 1} more)"
        }
        val all = problems.map { mapOf("check" to it.check, "where" to it.where, "problem" to it.problem) }
        show(StatusText().line(printable(line)),
            mapOf("segment" to segment, "healthy" to problems.isEmpty(), "problems" to all))
        endWith(problems.isEmpty())
    }

    private fun problems(look: SegmentLook): List<Problem> {
        val name = look.now.name
        val damaged = look.now.entries.filter { it.damage.isNotEmpty() }
            .map { Problem("damaged", "$name/${it.name}", it.damage) }
        val living = look.now.participants.filter { it.alive }
        val unused = if (living.isEmpty()) listOf(Problem("unused", name, "no living process uses it")) else emptyList()
        val stopped = living.filter { it.pid !in look.now.foreignPids && isStopped(it) }
            .map { Problem("hung", name, "${it.who("")} is stopped") }
        return damaged + unused + obstacles(look, Effect.STOPS, "hung") + stopped +
            obstacles(look, Effect.SLOWS, "blocked") + look.rates.mapNotNull { unread(name, it) } + space()
    }

    private fun obstacles(look: SegmentLook, effect: Effect, check: String) = look.rates.flatMap { entry ->
        entry.obstacles.filter { it.effect == effect }
            .map { Problem(check, "${look.now.name}/${entry.entry}", it.problem) }
    }

    /** Whether the process was stopped by a signal or a debugger, as far as /proc tells. */
    private fun isStopped(participant: Participant) = runCatching {
        Path.of("/proc/${participant.pid}/stat").readText().substringAfterLast(") ").first() in "Tt"
    }.getOrDefault(false)

    /** What is put in while no living process takes it out. */
    private fun unread(segment: String, entry: EntryRates): Problem? {
        val readers = READERS[entry.kind] ?: return null
        val holders = entry.holders.map { it.holder }.filter { it.participant.alive }
        if (holders.any { it.task in readers }) {
            return null
        }
        fun counter(name: String) = entry.counters.first { it.name == name }.value
        val unread = when (entry.kind) {
            "broadcast" -> (entry.perSecond["published"]?.toLong() ?: 0L) to "messages a second are published"
            "work queue" -> counter("ready") to "messages wait"
            "ring" -> counter("ready").takeIf { holders.any(::waits) } to "elements leave no room for its writer"
            else -> counter("in flight") to "calls wait"
        }
        val (count, what) = (unread.first ?: 0L) to unread.second
        return if (count == 0L) null
        else Problem("reader", "$segment/${entry.entry}", "nobody reads it, and $count $what")
    }

    private fun waits(holder: Holder) = holder.counters.any { it.name == "waits" && it.value > 0 }

    private fun space(): List<Problem> {
        val store = Files.getFileStore(bus.path())
        val (free, total) = store.usableSpace to store.totalSpace
        return if (free >= total / SCARCE) emptyList()
        else listOf(Problem("space", bus.path().toString(), "only ${free shr 20} of ${total shr 20} MiB are free"))
    }

    private companion object {
        const val PAUSE_MILLIS = 500L
        const val SCARCE = 20

        /** The tasks of those who read, for the kinds that lead messages from some to others. */
        val READERS = mapOf(
            "broadcast" to setOf("block", "skip", "fail", "evict"),
            "work queue" to setOf("consumer"),
            "ring" to setOf("popper"),
            "endpoint" to setOf("responder"),
        )
    }
}
