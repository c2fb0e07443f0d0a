package io.bywash.samples.topologies

import io.bywash.bus.BusTopology
import io.bywash.samples.kit.Programs
import java.io.PrintStream
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** What was counted; `ok` follows from what receivers saw. */
internal class Outcome(val isOk: Boolean, private val counts: Map<String, Any>) {
    fun toText() = counts.entries.joinToString { (name, count) -> "$name $count" } + if (isOk) "" else "\nNOT OK"

    fun toJson() = counts.entries.joinToString(", ", "{\"ok\": $isOk, ", "}") { (name, count) -> "\"$name\": $count" }
}

/** A topology, whose segment is called as it is told, and what runs over it. */
internal class Scenario(
    val topology: (segment: String) -> BusTopology,
    val run: suspend (segment: String, drop: Boolean, out: PrintStream) -> Outcome,
)

/** Runs one of the topologies, in several processes, and checks it. */
internal object Topologies {
    private val SCENARIOS = mapOf(
        "market" to Scenario(::market, MarketData::run),
        "sensors" to Scenario(::sensors, SensorPipeline::run),
        "producing" to Scenario(::producing, ProducerConsumer::run),
    )

    private val HELP = """
        usage: bywash topologies market|sensors|producing [OPTION...]

        Runs a topology of the Kotlin DSL in several processes, and checks what they received.

          market     one feed, two readers that lose nothing, and one that is too slow and is evicted
          sensors    a sensor, workers that share its readings, and what becomes of impossible ones
          producing  1,000 messages through a ring of 100, tried again while it is full

          --picture        prints the topology only, as text
          --mermaid        prints it as a Mermaid flowchart
          --json           what was counted as one line on the standard output, everything else on the standard error
          --sabotage drop  one message is forgotten: that is noticed
          --help           this text

        Ends with 0 if each receiver saw what it should, with 1 if not, with 2 if it was called wrongly.
    """.trimIndent()

    @JvmStatic
    fun main(arguments: Array<String>) {
        val options = Programs.options(HELP, *arguments)
        val json = options.remove("--json")
        val picture = options.remove("--picture")
        val mermaid = options.remove("--mermaid")
        try {
            val drop = Programs.take(options, "--sabotage", "", "", "|drop").isNotEmpty()
            val name = options.removeFirstOrNull() ?: "nothing"
            val scenario = SCENARIOS[name] ?: throw IllegalArgumentException("$name is none of ${SCENARIOS.keys}")
            Programs.requireNoMore(options)
            if (picture || mermaid) {
                println(scenario.topology(name).run { if (mermaid) toMermaid() else this })
            } else {
                run(scenario, Programs.segmentOf(name), drop, json)
            }
        } catch (wrong: IllegalArgumentException) {
            Programs.endWrongly("topologies", wrong)
        }
    }

    private fun run(scenario: Scenario, segment: String, drop: Boolean, json: Boolean) {
        val out = if (json) System.err else System.out
        out.println("${scenario.topology(segment)}\n")
        Programs.leaveNothing(segment)
        val outcome = try {
            runBlocking(Dispatchers.Default) { scenario.run(segment, drop, out) }
        } catch (failure: IllegalStateException) {
            Outcome(false, mapOf("failure" to "\"${failure.message}\""))
        }
        out.println(outcome.toText())
        Programs.end(json, outcome.toJson(), outcome.isOk)
    }
}
