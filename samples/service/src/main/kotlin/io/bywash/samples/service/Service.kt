package io.bywash.samples.service

import io.bywash.bus.Bus
import io.bywash.bus.BusTopology
import io.bywash.bus.cell.get
import io.bywash.bus.cell.open
import io.bywash.bus.cell.reader
import io.bywash.engine.Kind
import io.bywash.engine.queue.QueueStatus
import io.bywash.samples.kit.Programs
import java.io.PrintStream
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.readLines

/** Runs the three processes, stops each of them with SIGTERM in the middle, starts it again, and counts. */
internal class Service private constructor(
    private val out: PrintStream,
    private val trading: BusTopology,
    private val file: Path,
    private val forgotten: Long,
) {
    private val processes = mutableMapOf<String, Process>()
    private var restarts = 0

    /** What was counted; each quote is a message, and each order is one. */
    private class Outcome(
        val orders: Int,
        val missing: Int,
        val repeated: Int,
        val restarts: Int,
        isPosition: Boolean,
    ) {
        val isOk = orders > 0 && missing == 0 && repeated == 0 && restarts == 3 && isPosition

        fun toText() = "$orders orders recorded, $missing missing, $repeated repeated, after $restarts restarts\n" +
            if (isOk) "nothing was lost or doubled" else "NOT OK"

        fun toJson() = "{\"ok\": $isOk, \"quotes\": ${Feed.COUNT}, \"orders\": $orders, \"missing\": $missing, " +
            "\"repeated\": $repeated, \"restarts\": $restarts}"
    }

    private fun start(name: String) {
        val (program, argument) = when (name) {
            "feed" -> Feed to ""
            "strategy" -> Strategy to "$forgotten"
            else -> Recorder to "$file"
        }
        val type = program.javaClass
        val builder = Programs.builder("${type.module.name}/${type.name}", argument)
        builder.environment()[SEGMENT_VARIABLE] = trading.name
        processes[name] = Programs.start(builder::start)
    }

    /** SIGTERM, and the same process again. */
    private fun restart(name: String) {
        val process = processes.getValue(name)
        process.destroy()
        out.println("stopped the $name with SIGTERM, which ended with ${process.waitFor()}; it is started again")
        start(name)
        restarts++
    }

    private fun recorded() = if (file.exists()) file.readLines().map { it.substringBefore(',').toLong() } else listOf()

    private fun run(): Outcome = trading.open().use { bus ->
        listOf("feed", "strategy", "recorder").forEach(::start)
        val expected = (0 until Feed.COUNT).map(Feed::quote).mapNotNull(Strategy::decide)
        listOf("strategy", "recorder", "feed").forEachIndexed { index, name ->
            Programs.await("${(index + 1) * 20} % were recorded") { recorded().size > expected.size * (index + 1) / 5 }
            restart(name)
        }
        val next = bus.open(Progress)[Progress.nextQuote]
        Programs.await("all quotes were sent") { next.get() == Feed.COUNT }
        Programs.await("all queues were empty") { listOf("quotes", "orders").all { bus.isEmpty(it) } }
        processes.values.forEach { it.destroy() }
        processes.values.forEach { it.waitFor() }
        val found = recorded()
        val position = bus.reader(position).use { it.get() }
        Outcome(
            found.size,
            (expected.map { it.quote } - found.toSet()).size,
            found.size - found.toSet().size,
            restarts,
            position?.quantity == expected.sumOf { it.quantity.toLong() },
        )
    }

    private fun Bus.isEmpty(queue: String) = QueueStatus.of(segment.directory().find(queue, Kind.WORK_QUEUE)).run {
        readyCount() == 0 && heldCount() == 0 && leftCount() == 0
    }

    companion object {
        private val HELP = """
            usage: bywash service [OPTION...]

            Runs a feed, a strategy and a recorder as three processes, stops each of them with SIGTERM in the middle,
            and starts it again. Every order is in the recorder's file once.

              --json           what was counted as one line on the standard output, all else on the standard error
              --sabotage drop  the strategy forgets an order: that is noticed
              --help           this text

            Ends with 0 if nothing was lost or doubled, with 1 if not, with 2 if it was called wrongly.
        """.trimIndent()

        @JvmStatic
        fun main(arguments: Array<String>) {
            val options = Programs.options(HELP, *arguments)
            val json = options.remove("--json")
            var forgotten = -1L
            try {
                if (Programs.take(options, "--sabotage", "", "", "|drop").isNotEmpty()) {
                    forgotten = (0 until Feed.COUNT).last { Strategy.decide(Feed.quote(it)) != null }
                }
                Programs.requireNoMore(options)
            } catch (wrong: IllegalArgumentException) {
                Programs.endWrongly("service", wrong)
            }
            val topology = trading(Programs.segmentOf("trading"))
            val file = Files.createTempFile("bywash-orders-", ".csv")
            Programs.leaveNothing(topology.name, file)
            val out = if (json) System.err else System.out
            out.println("$topology\n")
            val outcome = Service(out, topology, file, forgotten).run()
            out.println(outcome.toText())
            Programs.end(json, outcome.toJson(), outcome.isOk)
        }
    }
}
