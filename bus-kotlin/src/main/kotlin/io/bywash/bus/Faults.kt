package io.bywash.bus

import io.bywash.engine.InvalidSpecException

/**
 * One mistake in the declaration of a bus.
 *
 * @property place where it is, for example `bus "market" / topic "ticks"`
 * @property problem the setting with its value, and what it should be, for example `ring=100 is not between 4096 and
 * 137438953472`
 */
public class TopologyFault internal constructor(public val place: String, public val problem: String) {
    override fun toString(): String = "$place: $problem"
}

/** The declaration of a bus is wrong. Nothing was created. */
public class InvalidTopologyException internal constructor(
    name: String,
    /** Everything that is wrong, each with its place. */
    public val faults: List<TopologyFault>,
) : IllegalArgumentException(
    "bus \"$name\" has ${faults.size} ${if (faults.size == 1) "fault" else "faults"}:" +
        faults.joinToString("") { "\n  $it" },
)

/**
 * Collects the faults of a declaration, in its own words.
 *
 * @param words the engine's names of arguments, with those that stand in the declaration
 */
internal class Faults private constructor(
    private val place: String,
    private val words: Map<String, String>,
    private val found: MutableList<TopologyFault>,
) {
    constructor(place: String, words: Map<String, String>) : this(place, words, mutableListOf())

    /** For something inside that has words of its own. */
    fun inside(what: String, words: Map<String, String> = emptyMap()): Faults = Faults("$place / $what", words, found)

    operator fun plusAssign(problem: String) {
        found += TopologyFault(place, problem)
    }

    /** The value that the engine accepts; null when it refuses, which is a fault. */
    fun <R : Any> check(attempt: () -> R): R? = try {
        attempt()
    } catch (refused: InvalidSpecException) {
        val name = refused.argument()
        this += "${words.getOrDefault(name, name)}=${refused.value()} ${refused.demand()}"
        null
    } catch (refused: IllegalArgumentException) {
        this += refused.message.orEmpty()
        null
    }

    fun throwIfAny(name: String) {
        if (found.isNotEmpty()) {
            throw InvalidTopologyException(name, found.toList())
        }
    }
}
