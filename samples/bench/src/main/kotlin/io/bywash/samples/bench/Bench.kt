package io.bywash.samples.bench

import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.CoreCliktCommand
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.context
import com.github.ajalt.clikt.core.parse
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.default
import com.github.ajalt.clikt.parameters.options.check
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.path
import java.nio.file.Path
import kotlin.system.exitProcess

/** The command line of the benchmark. */
private class BenchCommand : CoreCliktCommand("bywash bench") {
    init {
        context { // the core of Clikt does not know the standard error
            echoMessage = { _, message, newline, isError ->
                val out = if (isError) System.err else System.out
                if (newline) out.println(message) else out.print(message)
            }
        }
    }

    private val what by argument(help = ALL_HELP)
        .choice(*(SCENARIOS + COROUTINES + STRUCTURES + CALLS + NATIVE + OSGI).toTypedArray()).default("all")
    private val size by option(
        help = "the size of the messages in bytes, a multiple of 8 between 8 and 32768; by default 64, and 48 for " +
            "round trips; not for queue, structures, calls, native and osgi",
    ).int()
        .check("must be a multiple of 8 between 8 and 32768") { it in 8..32768 && it % 8 == 0 }
    private val against by option(
        help = "compares with another engine-java.jar instead, in $PAIRED_STARTS pairs of starts",
    )
        .path(mustExist = true, canBeDir = false)
    private val quick by option(
        help = "two minutes, with fewer rivals and ways to wait; its figures are indicative",
    ).flag()
    private val redraw by option(
        help = "measures nothing: draws the plots and the summary of docs/BENCHMARKS.md from docs/bench-data.md",
    ).flag()
    private val json by option(help = "every figure and ratio as one line on the standard output").flag()

    override fun help(context: Context) =
        "Measures Bywash beside its rivals, in processes of their own, in rounds that take turns."

    /** What would be ignored is refused. */
    private fun checkUsage() {
        if (redraw && (what != "all" || size != null || against != null || quick || json)) {
            throw UsageError("--redraw measures nothing, and goes with nothing else")
        }
        if (against != null && what != "all") {
            throw UsageError("--against has scenarios of its own: leave '$what' out")
        }
        if (size != null && what in OF_ONE_SIZE) {
            throw UsageError("$what has messages of a size of its own: leave --size out")
        }
    }

    override fun run() {
        checkUsage()
        val docs = System.getProperty("bywash.docs")?.let { Documents(Path.of(it)) }
        if (redraw) {
            docs?.draw() ?: throw UsageError("where the documents are is said by -Dbywash.docs")
            return
        }
        val effort = when {
            java.lang.Boolean.getBoolean("bench.tiny") -> Effort.TINY
            quick -> Effort.QUICK
            else -> Effort.FULL
        }
        val plan = Plan(effort, size)
        val report = Report(effort, plan.ringBytes)
        val out = if (json) System.err else System.out
        out.println(report.environment.map { (name, value) -> "$name: $value" }.joinToString("\n"))
        warnOfLoad()
        try {
            if (what == OSGI) {
                val figures = Osgi(effort).run()
                out.println("\n" + osgiTable(figures).toText() + "\n\n" + osgiQueuesTable(figures).toText() + "\n")
                if (json) {
                    println(osgiJson(effort, figures))
                }
                return
            }
            val other = against
            val groups = other?.let { plan.against(it.toAbsolutePath()) }
                ?: chosen().flatMap { groups(plan, it) }
            val isPaired = other != null && effort != Effort.TINY
            Distance(effort.jvmFlags).use { distance ->
                for (group in groups) {
                    report += if (isPaired) startOften(group, distance, effort)
                    else start(group, distance, effort, effort.rounds)
                    out.println("\n" + Tables.of(report, group.name).toText() + "\n")
                }
            }
            report.compare()
            out.println("\n" + Tables.ratios(report).toText())
            if (quick) {
                out.println("\nindicative: few and short rounds")
            }
            if (json) {
                println(report.toJson())
            }
            if (effort != Effort.QUICK && what == "all" && size == null && other == null) {
                docs?.write(report)
            }
        } catch (failure: BenchFailure) {
            System.err.println("bench: ${failure.message}")
            throw ProgramResult(1)
        }
    }

    private fun chosen() = if (what == "all") SCENARIOS.dropLast(1) else listOf(what)

    private fun warnOfLoad() {
        val load = Environment.load() ?: return
        if (load > LOADED * Runtime.getRuntime().availableProcessors()) {
            System.err.println("bench: this machine is loaded ($load processes are running or ready): all figures " +
                "will be too low, and some ratios wrong. End other programs, and start again.")
        }
    }

    private fun start(group: Group, distance: Distance, effort: Effort, rounds: Int) =
        Workspace(effort.jvmFlags).use {
            group.run(it, distance, effort, rounds) { line -> System.err.println("bench: $line") }
        }

    /**
     * The same code is faster in one process than in another, so each pair of rounds is one of new processes, in either
     * order.
     */
    private fun startOften(group: Group, distance: Distance, effort: Effort) =
        (1..PAIRED_STARTS)
            .map {
                if (it % 2 == 1) start(group, distance, effort, 1)
                else start(group.reversed(), distance, effort, 1).reversed()
            }
            .reduce { all, more -> all.zip(more) { row, next -> row.apply { add(next) } } }

    private fun groups(plan: Plan, scenario: String) = when (scenario) {
        "throughput" -> plan.throughput()
        "latency" -> plan.latency()
        "fanout" -> plan.fanout()
        "queue" -> plan.queue()
        COROUTINES -> plan.coroutines()
        STRUCTURES -> structureGroups()
        NATIVE -> nativeGroups(plan.effort, plan.ringBytes)
        CALLS -> callGroups()
        else -> plan.wake()
    }

    private companion object {
        const val PAIRED_STARTS = 20
        const val LOADED = 0.5
        val SCENARIOS = listOf("throughput", "latency", "fanout", "wake", "queue", "all")

        /** Measured on their own only: they compare Bywash with itself, or are another thing than queues. */
        const val COROUTINES = "coroutines"
        const val STRUCTURES = "structures"
        const val CALLS = "calls"
        const val NATIVE = "native"
        const val OSGI = "osgi"

        /** Those that --size means nothing for. */
        val OF_ONE_SIZE = setOf("queue", STRUCTURES, CALLS, NATIVE, OSGI)
        const val ALL_HELP = "throughput, latency, fanout, wake, queue, coroutines, structures, calls, native, osgi " +
            "or all; by default all, the first 5"
    }
}

/** Starts the benchmark. Ends with 0, with 1 if something failed, with 2 if it was called wrongly. */
object Bench {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val bench = BenchCommand()
        try {
            bench.parse(arguments)
        } catch (end: CliktError) {
            bench.echoFormattedHelp(end)
            exitProcess(if (end is UsageError) 2 else end.statusCode)
        }
    }
}
