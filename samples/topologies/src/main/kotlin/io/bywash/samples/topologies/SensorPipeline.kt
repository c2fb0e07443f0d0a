package io.bywash.samples.topologies

import io.bywash.bus.Bus
import io.bywash.bus.cell.get
import io.bywash.bus.cell.open
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.consumer
import io.bywash.engine.Kind
import io.bywash.engine.queue.QueueStatus
import io.bywash.samples.kit.Programs
import java.io.PrintStream
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** Workers that compete for readings. Nobody can use the impossible ones, which therefore become dead letters. */
internal object SensorPipeline {
    private const val COUNT = 2_000L
    private const val WORKERS = 2

    /** Every fiftieth reading is impossible. */
    private fun raw(number: Long) = if (number % 50 == 49L) -1 else (number * 31 % 1000).toInt()

    private fun degrees(raw: Int): Double {
        require(raw >= 0) { "raw=$raw is impossible" }
        return raw * 0.1 - 20
    }

    object Worker : Program() {
        @JvmStatic
        fun main(arguments: Array<String>) = start(arguments)

        override suspend fun run(arguments: List<String>) = sensors(segment).attach(60.seconds).use { bus ->
            val forgotten = arguments[0].toLong()
            val consumer = bus.consumer(readings)
            consumer.label("worker")
            val results = bus.sender(temperatures)
            var converted = 0L
            coroutineScope {
                val working = launch {
                    while (true) {
                        try {
                            consumer.consume { reading ->
                                val degrees = degrees(reading.raw) // throws if it cannot be: the reading is given back
                                if (reading.number != forgotten) results.send(Temperature(reading.number, degrees))
                                converted++
                            }
                        } catch (_: IllegalArgumentException) {
                            // somebody else may try it, at most three times
                        }
                    }
                }
                val isOver = bus.open(Shift)[Shift.isOver]
                while (!isOver.get()) delay(5.milliseconds)
                working.cancel()
            }
            println("converted=$converted")
        }
    }

    object Sensor : Program() {
        @JvmStatic
        fun main(arguments: Array<String>) = start(arguments)

        override suspend fun run(arguments: List<String>) = sensors(segment).attach(60.seconds).use { bus ->
            val sender = bus.sender(readings)
            for (number in 0 until COUNT) sender.send(Reading(number, raw(number)))
            println("sent=$COUNT")
        }
    }

    suspend fun run(segment: String, drop: Boolean, out: PrintStream): Outcome = sensors(segment).use { bus ->
        val workers = List(WORKERS) { Child(Worker, segment, if (drop) COUNT / 2 else -1) }
        val sensor = Child(Sensor, segment)
        val right = ConcurrentHashMap.newKeySet<Long>()
        val dead = ConcurrentHashMap.newKeySet<Long>()
        val wrong = AtomicInteger()
        launch {
            bus.consumer(temperatures).consume { result ->
                val isRight = result.degrees == degrees(raw(result.number)) && right.add(result.number)
                if (!isRight) wrong.incrementAndGet()
            }
        }
        launch {
            bus.consumer(rejected).consume { reading ->
                if (reading.raw >= 0 || !dead.add(reading.number)) wrong.incrementAndGet()
            }
        }
        val sent = sensor.counts().getValue("sent")
        for (queue in listOf(readings, temperatures, rejected)) { // what came of a reading is sent before it is gone
            Programs.await("${queue.name} was empty") { bus.isEmpty(queue) }
        }
        bus.open(Shift)[Shift.isOver].set(true)
        val converted = workers.sumOf { it.counts().getValue("converted") }
        (workers + sensor).forEach { it.end() }
        out.println("$WORKERS workers have converted $converted of $sent readings, and nobody could use ${dead.size}")
        val impossible = (0 until COUNT).count { raw(it) < 0 }
        Outcome(
            right.size == COUNT.toInt() - impossible && dead.size == impossible && wrong.get() == 0,
            mapOf("sent" to sent, "converted" to right.size, "rejected" to dead.size, "wrong" to wrong),
        )
    }

    private fun Bus.isEmpty(queue: WorkQueue<*>) =
        QueueStatus.of(segment.directory().find(queue.name, Kind.WORK_QUEUE)).run {
            readyCount() == 0 && heldCount() == 0 && leftCount() == 0
        }
}
