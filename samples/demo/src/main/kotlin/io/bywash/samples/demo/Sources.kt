package io.bywash.samples.demo

import io.bywash.samples.tool.recording.Recording
import io.bywash.samples.tool.recording.RecordingException
import java.io.RandomAccessFile
import java.nio.file.Path
import kotlin.io.path.exists

/** Where readings come from. */
interface Source {
    /** The next value and its name. */
    fun next(): Pair<String, Double>
}

/** This host, from /proc and /sys: one value after the other, none of them older than 10 ms. */
class HostSource : Source {
    private val stat = ProcFile("/proc/stat")
    private val memory = ProcFile("/proc/meminfo")
    private val network = ProcFile("/proc/net/dev")
    private val disks = ProcFile("/proc/diskstats")
    private val temperatures = (0..15).map { "/sys/class/thermal/thermal_zone$it/temp" }.filter { Path.of(it).exists() }
        .map { ProcFile(it) }

    /** Per core: busy and all ticks at the beginning of the window over which the load is taken. */
    private val windowStart = HashMap<String, Pair<Long, Long>>()
    private var windowNanos = 0L

    private var values = sweep()
    private var sweptNanos = System.nanoTime()
    private var index = 0

    override fun next(): Pair<String, Double> {
        if (index >= values.size || System.nanoTime() - sweptNanos > OLDEST_NANOS) {
            values = sweep()
            sweptNanos = System.nanoTime()
            index %= values.size
        }
        return values[index++]
    }

    private fun sweep(): List<Pair<String, Double>> = buildList {
        val newWindow = System.nanoTime() - windowNanos > WINDOW_NANOS
        if (newWindow) {
            windowNanos = System.nanoTime()
        }
        for (line in stat.lines()) {
            val words = line.split(' ').filter { it.isNotEmpty() }
            when {
                words[0].startsWith("cpu") && words[0] != "cpu" -> add(load(words, newWindow))
                words[0] == "ctxt" -> add("context.switches" to words[1].toDouble())
                words[0] == "procs_running" -> add("processes.running" to words[1].toDouble())
            }
        }
        memory.lines().first { it.startsWith("MemAvailable:") }
            .let { add("memory.available.kib" to it.numbers()[0].toDouble()) }
        val interfaces = network.lines().filter { ':' in it }.map { it.substringAfter(':').numbers() }
        add("network.received.bytes" to interfaces.sumOf { it[0] }.toDouble())
        add("network.sent.bytes" to interfaces.sumOf { it[8] }.toDouble())
        val devices = disks.lines().map { line -> line.split(' ').filter { it.isNotEmpty() } }.filter { it.size > 9 }
        add("disk.read.sectors" to devices.sumOf { it[5].toLong() }.toDouble())
        add("disk.written.sectors" to devices.sumOf { it[9].toLong() }.toDouble())
        temperatures.forEachIndexed { zone, file ->
            add("temperature$zone.celsius" to file.lines()[0].toDouble() / 1000)
        }
    }

    private fun load(words: List<String>, newWindow: Boolean): Pair<String, Double> {
        val ticks = words.drop(1).map { it.toLong() }
        val all = ticks.take(8).sum()
        val busy = all - ticks[3] - ticks[4] // without idle and iowait
        val start = windowStart.getOrPut(words[0]) { 0L to 0L }
        if (newWindow) {
            windowStart[words[0]] = busy to all
        }
        return "${words[0]}.load" to (busy - start.first).toDouble() / maxOf(all - start.second, 1)
    }

    private fun String.numbers(): List<Long> = split(' ').mapNotNull { it.toLongOrNull() }

    private companion object {
        const val WINDOW_NANOS = 500_000_000L
        const val OLDEST_NANOS = 10_000_000L
    }
}

/** A small file that changes, kept open and read anew each time. */
private class ProcFile(path: String) {
    private val file = RandomAccessFile(path, "r")
    private var bytes = ByteArray(8192)

    fun lines(): List<String> {
        file.seek(0)
        var length = 0
        while (true) {
            val count = file.read(bytes, length, bytes.size - length)
            if (count <= 0) {
                return String(bytes, 0, length, Charsets.ISO_8859_1).lines().filter { it.isNotBlank() }
            }
            length += count
            if (length == bytes.size) {
                bytes = bytes.copyOf(2 * length)
            }
        }
    }
}

/** The readings of a recording of a demo, one after the other, and again from the first. */
class RecordedSource(private val file: Path) : Source, AutoCloseable {
    private var recording = Recording(file)

    init {
        if (recording.header.entry != readings.name) {
            throw unusable("it is of the broadcast \"${recording.header.entry}\", and not of \"${readings.name}\"")
        }
        next() // or it is refused; the next round begins with this one again
    }

    override fun next(): Pair<String, Double> {
        if (!recording.next()) {
            val isEmpty = recording.messageCount == 0L
            recording.close()
            if (isEmpty) {
                throw unusable(recording.damage ?: "it has no readings")
            }
            recording = Recording(file)
            return next()
        }
        return ReadingCodec.read(recording.bytes, recording.index, recording.length)
            ?: throw unusable("message ${recording.nextSequence - 1} is no reading")
    }

    private fun unusable(why: String): RecordingException {
        recording.close()
        return RecordingException("The recording $file cannot be replayed here: $why. --record makes one.")
    }

    override fun close() = recording.close()
}
