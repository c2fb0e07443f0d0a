package io.bywash.samples.tool

import io.bywash.engine.Participant
import io.bywash.engine.StructureStatus.Counter
import io.bywash.engine.StructureStatus.Holder
import io.bywash.engine.inspect.SegmentStatus.EntryStatus
import kotlin.jvm.optionals.getOrNull

/** Counters whose growth is an event, and what to say. */
private val TELLING = mapOf(
    "evicted" to "evicted", "redelivered" to "delivered again", "dropped" to "dropped",
    "dead letters" to "dead letters",
)

/** What has happened in a segment between its two looks: who came, left, died or was evicted, and what was lost. */
fun happened(look: SegmentLook): List<String> {
    val name = look.now.name
    val (before, now) = look.earlier.participants to look.now.participants
    val came = now.filter { it.alive && before.none { old -> isSame(old, it) } }.map { "$name: ${it.who("")} joined" }
    val ended = before.filter { it.alive }.mapNotNull { old ->
        when {
            look.now.hasDied(old) -> "$name: ${old.who(roles(look, old))} died"
            now.none { isSame(old, it) && it.alive } -> "$name: ${old.who(roles(look, old))} left"
            else -> null
        }
    }
    val inEntries = look.now.entries.flatMap { entry ->
        val earlier = look.earlier.entries.firstOrNull {
            it.row == entry.row && it.generation == entry.generation && it.name == entry.name
        }
        if (earlier == null) emptyList() else happened("$name/${entry.name}", earlier, entry)
    }
    return (came + ended + inEntries).map(::printable)
}

private fun isSame(one: Participant, other: Participant) = one.id == other.id && one.epoch == other.epoch

/** What a participant called its first role. */
private fun roles(look: SegmentLook, participant: Participant) = look.earlier.entries.flatMap { holders(it) }
    .firstOrNull { isSame(it.participant, participant) && it.label.isNotEmpty() }?.label.orEmpty()

private fun holders(entry: EntryStatus): List<Holder> = entry.status.getOrNull()?.holders().orEmpty()

private fun happened(where: String, before: EntryStatus, now: EntryStatus): List<String> {
    val ended = holders(now).filter { it.task == "evicted" || "revoked" in it.task }.mapNotNull { holder ->
        val end = if ("revoked" in holder.task) "revoked" else "evicted"
        holders(before).firstOrNull { it.isSameAs(holder) && it.task != holder.task }
            ?.let { "$where: ${it.task} ${holder.participant.who(holder.label)} was $end" }
    }
    val told = counters(now).filter { it.name in TELLING }.mapNotNull { counter ->
        val grown = counter.value - (counters(before).firstOrNull { it.name == counter.name }?.value ?: 0)
        if (grown > 0) "$where: $grown ${TELLING[counter.name]}" else null
    }
    val lost = holders(now).mapNotNull { holder ->
        val old = holders(before).firstOrNull { it.isSameAs(holder) }
        val grown = lost(holder) - (old?.let(::lost) ?: lost(holder))
        if (grown > 0) "$where: ${holder.participant.who(holder.label)} lost $grown messages" else null
    }
    return ended + told + lost
}

private fun counters(entry: EntryStatus): List<Counter> = entry.status.getOrNull()?.counters().orEmpty()

private fun lost(holder: Holder) = holder.counters.firstOrNull { it.name == "lost" }?.value ?: 0
