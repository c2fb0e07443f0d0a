package io.bywash.samples.calls

import io.bywash.engine.BusException
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.call.Call
import io.bywash.engine.call.CallServer
import io.bywash.engine.call.Caller
import io.bywash.samples.calls.Traffic.Order
import io.bywash.samples.calls.Traffic.Report
import io.bywash.samples.kit.Programs
import java.io.IOException
import java.util.concurrent.TimeUnit.MINUTES

private const val HELP = """usage: bywash calls [OPTION...]

A host and a guest, two processes, call each other through shared memory: thousands of requests of 0 to 8 KiB, as
FlatBuffers that are built and read in place. Each side checks every byte that it gets. Then calls fail, in each way
in which they can; at last the guest is killed with requests in its hands, and the host goes on when it is back.

  -w WORKERS           how many requests the guest handles at one time, 1 to 8 (default: 4)
  --requests COUNT     how many are sent each way while both sides call, 100 to 999999 (default: 8000)
  --json               what was counted as one line on the standard output, everything else on the standard error
  --sabotage corrupt   the guest gets one answer wrong: that is noticed
  --sabotage drop      the guest makes a call less than it was ordered to: that is noticed
  --help               this text

Ends with 0 if everything was as it should be, with 1 if not, with 2 if it was called wrongly."""

private val segmentName = "calls-${ProcessHandle.current().pid()}"

/** Starts the guest, calls it, answers it, kills it, starts it again, and adds up. */
private class Host(
    segment: Segment, private val workers: Int, private val sabotage: String, private val view: View,
) : AutoCloseable {
    val outcome = Outcome(workers)
    private val toGuest = segment.directory().find("guest", Kind.ENDPOINT)
    private val answering = Answering(false)
    private val server = CallServer.start(segment.directory().find("host", Kind.ENDPOINT), answering, 2)
    private val calling = Calling(toGuest)
    private val failing = Failing(toGuest, workers, outcome)
    private val orders = Caller.open(segment.directory().find("orders", Kind.ENDPOINT))
    private var nextId = 0L

    fun run(requests: Int) {
        val few = requests / 4
        val guest = startGuest()
        view.during(laneToGuest(few)) {
            callGuest("host to guest", few, 1)
        }
        callEachOther(requests)
        add(report(order(0))) // what the guest has received will die with it

        failing.meet()
        view.say("${outcome.inside} slow requests were inside the guest's handler at one time")
        view.say(failing.handlerFails())
        view.say(failing.timesOut())
        view.say(failing.cancels())
        val goneNanos = failing.kill(guest)
        view.say("RESPONDER_GONE: the guest was killed with $workers requests, which failed after " + time(goneNanos))
        view.say(failing.callsNobody())

        val next = startGuest()
        val before = outcome.toGuest.right
        callEachOther(few)
        outcome.afterRestart = outcome.toGuest.right - before
        add(report(order(0, isLast = true)))
        next.waitFor()
        outcome.toHost.received = answering.received()
        outcome.toHost.intact = answering.intact()
    }

    private fun startGuest() = Programs.start(Guest::class.java, segmentName, "$workers", sabotage).also {
        view.say("the guest is process ${it.pid()} and has $workers workers")
        report(order(0)) // a call waits until somebody is there to answer it
    }

    /** Both sides call and answer at the same time. */
    private fun callEachOther(calls: Int) =
        view.during(laneToGuest(calls), Lane("guest to host", calls.toLong(), answering::received)) {
            val order = order(calls)
            callGuest("host to guest", calls, Guest.IN_FLIGHT)
            val figures = report(order).figures()
            outcome.toHost.add(calls, figures)
            view.add("guest to host", Guest.IN_FLIGHT, figures)
        }

    private fun laneToGuest(calls: Int) = Lane("host to guest", calls.toLong(), calling::answered)

    private fun callGuest(name: String, calls: Int, inFlight: Int) {
        val figures = calling.call(nextId, calls, inFlight)
        nextId += calls
        outcome.toGuest.add(calls, figures)
        view.add(name, inFlight, figures)
    }

    private fun order(calls: Int, isLast: Boolean = false): Call =
        orders.send(Traffic.CONTROL, Order(calls, isLast), MINUTES.toNanos(10))

    /** Waits for the answer to an order, which comes when it was carried out. */
    private fun report(order: Call): Report =
        orders.await(MINUTES.toNanos(10)).use { Traffic.CONTROL.read(order.reply()) as Report }

    private fun add(report: Report) {
        outcome.toGuest.received += report.received()
        outcome.toGuest.intact += report.intact()
    }

    override fun close() = listOf(orders, failing, calling, server).forEach { it.close() }
}

/** Starts the host. */
object Calls {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val options = Programs.options(HELP, *arguments)
        val json = options.remove("--json")
        val (workers, requests, sabotage) = try {
            listOf(
                Programs.take(options, "-w", "", "4", "[1-8]"),
                Programs.take(options, "--requests", "", "8000", "[1-9][0-9]{2,5}"),
                Programs.take(options, "--sabotage", "", "none", "none|corrupt|drop"),
            ).also { Programs.requireNoMore(options) }
        } catch (wrong: IllegalArgumentException) {
            return Programs.endWrongly("calls", wrong)
        }
        Programs.leaveNothing(segmentName)
        val view = View(json)
        var outcome = Outcome(workers.toInt())
        try {
            Segment.create(segmentName, Traffic.SPEC).use { segment ->
                Host(segment, workers.toInt(), sabotage, view).use {
                    outcome = it.outcome
                    it.run(requests.toInt())
                }
            }
            view.showTable()
            view.showVerdict(outcome.isOk)
        } catch (failure: IOException) {
            System.err.println("calls: ${failure.message}")
        } catch (failure: IllegalStateException) {
            System.err.println("calls: ${failure.message}")
        } catch (failure: BusException) {
            System.err.println("calls: ${failure.message}")
        }
        Programs.end(json, outcome.toJson(), outcome.isOk)
    }
}
