package io.bywash.bus

import kotlinx.coroutines.flow.Flow

/** What is received from one queue, transformed, and sent to another. */
internal class Route<A : Any, B : Any>(
    val from: Queue<A>,
    val to: Queue<B>,
    private val transform: (Flow<A>) -> Flow<B>,
) {
    suspend fun run(bus: Bus, sender: Sender<*>) {
        @Suppress("UNCHECKED_CAST") // it was taken for this route
        transform(from.messages(bus)).sendTo(sender as Sender<B>)
    }

    /** What is wrong with it among what is declared. */
    fun faults(declared: Map<String, EntryName>): List<String> = buildList {
        listOf(from, to).mapNotNullTo(this) { fault(it, declared[it.name]) }
        if (from.name == to.name) {
            add("it would receive what it sends")
        }
    }

    private fun fault(end: Queue<*>, declared: EntryName?): String? = when {
        declared == null -> "there is no \"${end.name}\" in this bus"
        declared::class != end::class ->
            "\"${end.name}\" is declared as ${declared::class.simpleName}, not as ${end::class.simpleName}"
        declared is Queue<*> && areOtherRecords(end, declared) -> "\"${end.name}\" is declared with other records"
        else -> null
    }

    override fun toString(): String = "route \"${from.name}\" -> \"${to.name}\""
}
