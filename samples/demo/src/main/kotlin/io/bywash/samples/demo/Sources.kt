package io.bywash.samples.demo

import java.io.IOException
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import kotlin.io.path.exists

/** Where readings come from. */
interface Source {
    /** The next value and its name. */
    fun next(): Pair<String, Double>
}

/** This host, from /proc and /sys: one value after the other, none of them older than 10 ms. */
class HostSource(private val recorder: Recorder?) : Source {
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
            recorder?.write(values)
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

/** A recording cannot be replayed; the message names the file, and the line if it is one line's fault. */
class RecordingException(message: String) : Exception(message)

/**
 * The lines of a CSV file, one after the other, and again from the first. The first line names the columns. Each number
 * is a reading of its column; cells that are no numbers, and the columns `time`, `date` and `timeMillis`, are passed
 * over. A line may begin with one more cell than there are names: the line's own name.
 */
class RecordedSource(file: Path) : Source {
    private val values: List<Pair<String, Double>>
    private var next = 0

    init {
        val lines = try {
            Files.readAllLines(file)
        } catch (failure: IOException) {
            throw RecordingException("The recording $file cannot be read: $failure. Check its name; --record " +
                "makes one.")
        }
        val names = lines.firstOrNull()?.takeIf { it.isNotBlank() }?.let(::cells)
            ?: throw RecordingException("The recording $file is empty: its first line has to name the columns.")
        values = lines.drop(1).flatMapIndexed { index, line ->
            if (line.isBlank()) emptyList() else readings(names, cells(line), "$file, line ${index + 2}")
        }
        if (values.isEmpty()) {
            throw RecordingException("The recording $file has no readings: there is no line below the names of " +
                "the columns.")
        }
    }

    private fun readings(names: List<String>, cells: List<String>, place: String): List<Pair<String, Double>> {
        val values = if (cells.size == names.size + 1) cells.drop(1) else cells
        if (values.size != names.size) {
            throw RecordingException("$place: ${cells.size} cells, but the first line names ${names.size} columns.")
        }
        val readings = names.zip(values).filter { it.first.lowercase() !in TIMES }
            .mapNotNull { (name, cell) -> cell.toDoubleOrNull()?.let { name to it } }
        if (readings.isEmpty()) {
            throw RecordingException("$place: there is no number in it.")
        }
        return readings
    }

    private fun cells(line: String) = line.split(',').map { it.trim().removeSurrounding("\"") }

    override fun next(): Pair<String, Double> = values[next].also { next = (next + 1) % values.size }

    private companion object {
        val TIMES = setOf("time", "date", "timemillis")
    }
}

/**
 * Adds sweeps to a file that [RecordedSource] reads. Each line is written at once, so that a kill leaves no half of
 * one, and a feed that is started again goes on in the same file.
 */
class Recorder(file: Path) : AutoCloseable {
    private var needsNames = !file.exists() || Files.size(file) == 0L
    private val output = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)

    fun write(sweep: List<Pair<String, Double>>) {
        if (needsNames) {
            needsNames = false
            line(listOf("timeMillis") + sweep.map { it.first })
        }
        line(listOf(System.currentTimeMillis()) + sweep.map { it.second })
    }

    private fun line(cells: List<Any>) = output.write((cells.joinToString(",") + "\n").toByteArray())

    override fun close() = output.close()
}
