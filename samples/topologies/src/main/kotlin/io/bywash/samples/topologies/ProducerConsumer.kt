package io.bywash.samples.topologies

import io.bywash.bus.onReceive
import java.io.PrintStream
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.selects.select

/** A producer that tries again while there is no room, and a consumer that comes late. */
internal object ProducerConsumer {
    private const val COUNT = 1_000L

    private fun value(number: Long) = number * 3.14

    object Producer : Program() {
        @JvmStatic
        fun main(arguments: Array<String>) = start(arguments)

        override suspend fun run(arguments: List<String>) = producing(segment).attach(60.seconds).use { bus ->
            val sender = bus.sender(notes)
            var retries = 0L
            for (number in 0 until COUNT) {
                if (number == arguments[0].toLong()) continue
                while (!sender.trySend(Note(System.nanoTime(), 1, value(number))).isSuccess) { // full
                    if (retries++ == 0L) println("full at $number")
                    delay(10.microseconds)
                }
            }
            println("sent=${sender.nextSequence} retries=$retries")
        }
    }

    object Consumer : Program() {
        @JvmStatic
        fun main(arguments: Array<String>) = start(arguments)

        override suspend fun run(arguments: List<String>) = producing(segment).attach(60.seconds).use { bus ->
            val receiver = bus.receiver(notes)
            var count = 0L
            var wrong = 0L
            fun check(note: Note) {
                if (note.producer != 1 || note.value != value(count++)) wrong++
            }
            while (true) {
                val note = select {
                    onReceive(receiver) { it }
                    told.onAwait { null }
                }
                check(note ?: break)
            }
            while (true) { // the producer has ended
                check(receiver.tryReceive().getOrNull() ?: break)
            }
            println("received=$count wrong=$wrong")
        }
    }

    suspend fun run(segment: String, drop: Boolean, out: PrintStream): Outcome = producing(segment).use {
        val producer = Child(Producer, segment, if (drop) COUNT / 2 else -1)
        out.println("the ring was ${producer.line()}; now the consumer starts")
        val consumer = Child(Consumer, segment)
        val sent = producer.counts()
        consumer.tell()
        val seen = consumer.counts()
        listOf(producer, consumer).forEach { it.end() }
        Outcome(
            seen["received"] == COUNT && seen["wrong"] == 0L && sent.getValue("retries") > 0,
            mapOf("sent" to sent.getValue("sent"), "retries" to sent.getValue("retries")) + seen,
        )
    }
}
