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

    /** What is wrong with it among declared names. */
    fun faults(declared: Set<String>): List<String> = buildList {
        listOf(from, to).filter { it.name !in declared }.forEach { add("there is no \"${it.name}\" in this bus") }
        if (from.name == to.name) {
            add("it would receive what it sends")
        }
    }

    override fun toString(): String = "route \"${from.name}\" -> \"${to.name}\""
}
