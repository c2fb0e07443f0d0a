package io.bywash.samples.tool

import io.bywash.engine.BusDirectory
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.StructureStatus.Effect
import io.bywash.engine.StructureStatus.Obstacle
import io.bywash.engine.inspect.BusStatus
import io.bywash.engine.inspect.EntryRates
import io.bywash.engine.inspect.Finding
import io.bywash.engine.inspect.SegmentStatus
import kotlin.jvm.optionals.getOrNull

/** One segment, seen now and before. */
class SegmentLook(val now: SegmentStatus, val earlier: SegmentStatus, private val since: Map<String, Long>) {
    val rates: List<EntryRates> = now.rates(earlier)

    /** Who holds others back, and for how long already; first those who make no progress. */
    val heldBack: List<Finding>
        get() = listOf(Effect.STOPS, Effect.SLOWS).flatMap { effect ->
            rates.flatMap { entry -> entry.obstacles.filter { it.effect == effect }.map { finding(entry, it) } }
        }

    val findings: List<Finding> get() = now.leftByTheDead + heldBack

    /** Whose obstacles stand in the way, by names that stay the same from look to look. */
    val obstacles: List<String> get() = rates.flatMap { entry -> entry.obstacles.map { key(entry, it) } }

    private fun key(entry: EntryRates, obstacle: Obstacle): String {
        val holder = entry.holders.map { it.holder }.firstOrNull { it.role == obstacle.role }
        return "${now.name}/${entry.entry}/${obstacle.role}/${holder?.generation}"
    }

    private fun finding(entry: EntryRates, obstacle: Obstacle): Finding {
        val seconds = (now.takenNanos - (since[key(entry, obstacle)] ?: now.takenNanos)) / 1_000_000_000
        val problem = if (seconds > 0) "${obstacle.problem} (for $seconds s)" else obstacle.problem
        return Finding(Finding.Severity.WARNING, "${now.name}/${entry.entry}", problem, obstacle.advice)
    }

    val document: Map<String, Any>
        get() = mapOf("before" to earlier, "now" to now, "rates" to rates, "findings" to findings)

    /** The same with other entries, or in another order. */
    fun arranged(entries: List<SegmentStatus.EntryStatus>) = SegmentLook(
        SegmentStatus(
            now.takenNanos, now.name, now.path, now.sizeBytes, now.unusedBytes, now.lifetime, now.created,
            now.participantCapacity, now.participants, now.buried, now.foreignPids, now.entryCapacity, entries,
            now.leftByTheDead,
        ),
        earlier, since,
    )
}

/** What there was at one look, and what has happened since the last one. */
class Look(val bus: BusStatus?, val segments: List<SegmentLook>, val events: List<String>)

/** Looks again and again at all segments, or at one, and remembers only what it saw last. */
class Watch(private val bus: BusDirectory, private val only: String?) {
    private var last: Map<String, SegmentStatus>? = null
    private var since: Map<String, Long> = emptyMap()

    fun look(): Look {
        val (status, found) = statuses()
        val before = last
        val segments = found.map { now ->
            SegmentLook(now, before?.get(now.name)?.takeIf { it.created == now.created } ?: now, since)
        }
        val events = if (before == null) emptyList() else events(before, segments)
        since = segments.flatMap { look -> look.obstacles.map { it to (since[it] ?: look.earlier.takenNanos) } }.toMap()
        last = found.associateBy { it.name }
        return Look(status, segments.map { SegmentLook(it.now, it.earlier, since) }, events)
    }

    private fun statuses(): Pair<BusStatus?, List<SegmentStatus>> {
        if (only == null) {
            val status = BusStatus.of(bus)
            return status to status.files.mapNotNull { it.segment.getOrNull() }
        }
        return null to try {
            listOf(Segment.observe(bus.path(only)).use { SegmentStatus.of(it) })
        } catch (gone: SegmentNotFoundException) {
            if (last == null) throw gone else emptyList()
        }
    }

    private fun events(before: Map<String, SegmentStatus>, segments: List<SegmentLook>): List<String> {
        val names = segments.map { it.now.name }
        return before.keys.filter { it !in names }.map { "segment $it is gone" } +
            segments.filter { before[it.now.name]?.created != it.now.created }.map { "segment ${it.now.name} is new" } +
            segments.flatMap { happened(it) }
    }
}
