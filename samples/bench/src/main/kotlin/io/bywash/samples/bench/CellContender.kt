package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.cell.Atomics
import io.bywash.engine.cell.Latest
import io.bywash.engine.cell.LatestReader
import io.bywash.engine.cell.LatestWriter
import io.bywash.engine.cell.LongCell
import io.bywash.engine.record.Records
import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout
import java.lang.invoke.MethodHandles
import java.lang.invoke.VarHandle
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import kotlin.concurrent.thread

/** A value for the latest one: its words follow from the first. */
@JvmRecord
data class Price(val units: Long, val time: Long, val sum: Long)

private val PRICES = Records.of(MethodHandles.lookup(), Price::class.java)

private fun price(number: Long) = Price(number, number * 3, number * 4)

/** The loops that are measured, each in a function of its own, as a program would have it. */
private object CellLoops : MessageHandler {
    @JvmField
    val LONG: VarHandle = ValueLayout.JAVA_LONG.varHandle()

    private var found = 0L

    fun add(cell: LongCell, count: Int) {
        for (i in 0 until count) {
            cell.getAndAdd(1)
        }
    }

    /** Adds to the first word of mapped memory, as a program without this engine does. */
    fun addBare(segment: MemorySegment, count: Int) {
        for (i in 0 until count) {
            LONG.getAndAdd(segment, 0L, 1L)
        }
    }

    fun readTyped(reader: LatestReader, count: Int) {
        for (i in 0 until count) {
            val price = reader.get(PRICES)
            check(price == null || price.sum == price.units + price.time) { "torn: $price" }
        }
    }

    override fun onMessage(message: Message) {
        found = message.getLong(0) + message.getLong(8) - message.getLong(16)
    }

    fun readInPlace(reader: LatestReader, count: Int) {
        for (i in 0 until count) {
            check(!reader.read(this) || found == 0L) { "torn: $found" }
        }
    }

    fun readCopied(reader: LatestReader, count: Int) {
        for (i in 0 until count) {
            val value = reader.get()
            check(value == null || value.getLong(0) + value.getLong(8) == value.getLong(16)) { "torn" }
        }
    }
}

/** Atomics and latest values, and a bare word in mapped memory. They answer commands of their own, and move nothing. */
class CellContender : Contender(NAME, listOf(Policy.SPIN)) {
    private lateinit var segment: Segment
    private lateinit var writer: LatestWriter
    private lateinit var reader: LatestReader
    private lateinit var cell: LongCell
    private lateinit var mapped: MemorySegment
    private var setter: Setter? = null

    override val streams get() = false

    override fun writer(channel: Channel, policy: Policy) = throw UnsupportedOperationException(NAME)

    override fun reader(channel: Channel, policy: Policy) = throw UnsupportedOperationException(NAME)

    override fun obey(words: List<String>, directory: Path, writers: List<Writer>, readers: List<Reader>): String {
        val number = words.getOrElse(1) { "0" }.toLong()
        return when (words[0]) {
            "openWriter" -> ok {
                val spec = PRICES.declare(Latest.spec(LATEST, PRICES.types()[0].sizeBytes()))
                segment = Segment.open(directory.resolve("cells-$number"), SegmentSpec.of(spec))
                writer = LatestWriter.open(segment.directory().find(LATEST, Kind.LATEST))
                writer.set(PRICES, price(1))
            }
            "openReader" -> ok {
                segment = Segment.attach(directory.resolve("cells-$number"), PATIENCE_NANOS)
                reader = LatestReader.open(segment.directory().find(LATEST, Kind.LATEST))
            }
            "startSetting" -> ok { setter = Setter(writer, number) }
            "stopSetting" -> setter!!.stop()
            "readTyped" -> timed(number) { CellLoops.readTyped(reader, it) }
            "readInPlace" -> timed(number) { CellLoops.readInPlace(reader, it) }
            "readCopied" -> timed(number) { CellLoops.readCopied(reader, it) }
            "openCells" -> ok { openCells(directory, number) }
            "addCell" -> timed(number) { CellLoops.add(cell, it) }
            "addBare" -> timed(number) { CellLoops.addBare(mapped, it) }
            else -> super.obey(words, directory, writers, readers)
        }
    }

    private fun ok(action: () -> Unit): String {
        action()
        return "ok"
    }

    private inline fun timed(count: Long, loop: (Int) -> Unit): String {
        val start = System.nanoTime()
        loop(count.toInt())
        return "ok nanos=${System.nanoTime() - start}"
    }

    /** A thread that sets the value at a steady rate, until it is told to stop. */
    private class Setter(private val writer: LatestWriter, private val everyNanos: Long) {
        @Volatile
        private var isOver = false
        private var sets = 0L
        private var nanos = 0L
        private val setting = thread {
            val start = System.nanoTime()
            var due = start
            while (!isOver) {
                while (System.nanoTime() < due) {
                    Thread.onSpinWait()
                }
                writer.set(PRICES, price(++sets))
                due += everyNanos
            }
            nanos = System.nanoTime() - start
        }

        fun stop(): String {
            isOver = true
            setting.join()
            return "ok sets=$sets nanos=$nanos"
        }
    }

    private fun openCells(directory: Path, number: Long) {
        val spec = SegmentSpec.of(Atomics.spec("cells", "long count"))
        segment = Segment.create(directory.resolve("cells-$number"), spec)
        cell = Atomics.open(segment.directory().find("cells", Kind.CELLS)).longCell("count")
        FileChannel.open(directory.resolve("bare-$number"), StandardOpenOption.CREATE, StandardOpenOption.READ,
            StandardOpenOption.WRITE).use {
            mapped = it.map(FileChannel.MapMode.READ_WRITE, 0, BARE_BYTES, Arena.ofShared())
        }
    }

    companion object {
        const val NAME = "bywash.cells"
        private const val LATEST = "latest"
        private const val BARE_BYTES = 4096L
        private const val PATIENCE_NANOS = 20_000_000_000L
    }
}
