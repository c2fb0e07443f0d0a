package io.bywash.samples.bench

import org.HdrHistogram.Histogram

/**
 * The loops that are measured. Each answers with a line of `name=value`; times are those of `CLOCK_MONOTONIC`, the same
 * in all processes.
 */
object Loops {
    private const val CHUNK = 1024L

    /** The most messages of one look. */
    const val LIMIT = 1024
    private const val MAX_NANOS = 60_000_000_000L

    /** Sends the messages with the first words [from] until [until]. */
    fun send(writer: Writer, from: Long, until: Long): String {
        val start = System.nanoTime()
        var next = from
        while (next < until) {
            val end = minOf(next + CHUNK, until)
            writer.sendAll(next, end)
            next = end
        }
        writer.flush()
        return "ok start=$start end=${System.nanoTime()} sum=${Payload.sum(from, until)}"
    }

    fun receiveAll(reader: Reader, count: Long): String {
        reader.sum = 0
        receiveExactly(reader, count)
        return "ok end=${System.nanoTime()} received=$count sum=${reader.sum} expected=${reader.sum}"
    }

    /**
     * Of a system that loses messages, until the message [last] or one behind it: those are sent if it was lost. What
     * arrives must be whole. Time and count are those of the last look that found none of them.
     */
    fun receiveUntil(reader: Reader, last: Long): String {
        reader.sum = 0
        reader.expected = 0
        val lost = reader.lost
        val before = reader.last
        var received = 0L
        var counted = 0L
        var end = System.nanoTime()
        while (reader.last < last) {
            val count = reader.receive(LIMIT)
            if (count == 0 && counted < received) { // the time is asked for only when there is nothing to do
                counted = received
                end = System.nanoTime()
            }
            received += count
        }
        if (reader.last == last) {
            counted = received
            end = System.nanoTime()
        }
        check(lost < 0 || received + reader.lost - lost == reader.last - before) {
            "received $received and lost ${reader.lost - lost} of ${reader.last - before}"
        }
        return "ok end=$end received=$counted sum=${reader.sum} expected=${reader.expected}"
    }

    /**
     * Sends [count] messages at [rate] a second, each with the time at which it was due, whatever held it up. Answers
     * also how late the sending itself was, but for the first [skipped].
     */
    fun pace(writer: Writer, count: Long, rate: Long, skipped: Long): String {
        val lags = histogram()
        var sum = 0L
        val start = System.nanoTime() + 100_000
        for (i in 0 until count) {
            val due = start + i * 1_000_000_000 / rate
            var now = System.nanoTime()
            while (now < due) {
                Thread.onSpinWait()
                now = System.nanoTime()
            }
            if (i >= skipped) {
                lags.recordValue(now - due)
            }
            writer.send(due)
            sum += Payload.sum(due, due + 1)
        }
        writer.flush()
        return "ok sum=$sum " + percentiles(lags)
    }

    /** Sends [count] messages, one every [pauseNanos], each with the time at which it was sent. */
    fun wake(writer: Writer, count: Long, pauseNanos: Long): String {
        var sum = 0L
        for (i in 0 until count) {
            val due = System.nanoTime() + pauseNanos
            while (System.nanoTime() < due) {
                Thread.onSpinWait()
            }
            val now = System.nanoTime()
            writer.send(now)
            writer.flush()
            sum += Payload.sum(now, now + 1)
        }
        return "ok sum=$sum"
    }

    /** Receives [count] messages whose first word is a time; answers how old they were, but for the first [skipped]. */
    fun ages(reader: Reader, count: Long, skipped: Long): String {
        reader.sum = 0
        receiveExactly(reader, skipped)
        val ages = histogram()
        reader.ages = ages
        receiveExactly(reader, count - skipped)
        reader.ages = null
        return "ok sum=${reader.sum} " + percentiles(ages)
    }

    private fun receiveExactly(reader: Reader, count: Long) {
        var left = count
        while (left > 0) {
            left -= reader.receive(minOf(left, LIMIT.toLong()).toInt())
        }
    }

    /** Sends a message and awaits its echo, so many times. */
    fun ping(writer: Writer, reader: Reader, count: Long): String {
        val times = histogram()
        for (i in 0 until count) {
            val start = System.nanoTime()
            writer.send(start)
            writer.flush()
            receiveExactly(reader, 1)
            times.recordValue(System.nanoTime() - start)
            check(reader.last == start) { "sent $start, got ${reader.last} back" }
        }
        return "ok " + percentiles(times)
    }

    fun pong(writer: Writer, reader: Reader, count: Long): String {
        for (i in 0 until count) {
            receiveExactly(reader, 1)
            writer.send(reader.last)
            writer.flush()
        }
        return "ok"
    }

    fun histogram() = Histogram(MAX_NANOS, 3).apply { isAutoResize = true }

    /** The median, and what has at least [BEHIND] values behind it. */
    fun percentiles(histogram: Histogram) = PERCENTILES
        .filter { (name, percentile) -> name == "p50" || isBacked(histogram.totalCount, percentile) }.entries
        .joinToString(" ") { (name, percentile) -> "$name=${histogram.getValueAtPercentile(percentile)}" }

    private fun isBacked(count: Long, percentile: Double) =
        count * (PERCENT_PARTS - Math.round(percentile * 100)) >= BEHIND * PERCENT_PARTS

    private const val BEHIND = 10
    private const val PERCENT_PARTS = 10_000

    val PERCENTILES = mapOf("p50" to 50.0, "p90" to 90.0, "p99" to 99.0, "p999" to 99.9, "p9999" to 99.99)
}
