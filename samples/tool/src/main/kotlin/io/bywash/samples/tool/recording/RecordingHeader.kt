package io.bywash.samples.tool.recording

import io.bywash.engine.Entry
import io.bywash.engine.Segment
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32C

/** A file is no recording, or one that this program cannot read; the message names it and says what to do. */
class RecordingException(message: String) : Exception(message)

/**
 * The beginning of a recording, as docs/RECORDING.md describes it: what was recorded, since [startMillis] (UTC, since
 * 1970), from the message with [firstSequence] on.
 */
data class RecordingHeader(
    val segment: String, val segmentId: Long, val entry: String, val layout: String, val ringBytes: Long,
    val firstSequence: Long, val startMillis: Long,
) {
    fun toBytes(): ByteArray {
        val texts = listOf(segment, entry, layout).map { it.toByteArray() }
        val size = FIXED_BYTES + texts.sumOf { it.size } + Int.SIZE_BYTES
        val bytes = littleEndian(size).put(MAGIC).putInt(VERSION).putInt(size).putLong(segmentId).putLong(startMillis)
            .putLong(firstSequence).putLong(ringBytes)
        texts.forEach { bytes.putInt(it.size) }
        texts.forEach { bytes.put(it) }
        return bytes.putInt(checksum(bytes.array(), bytes.position())).array()
    }

    companion object {
        const val VERSION = 1
        private val MAGIC = "BYWASHRC".toByteArray()
        private const val FIXED_BYTES = 60
        private const val MAX_BYTES = 1 shl 20

        fun of(segment: Segment, entry: Entry, firstSequence: Long) = RecordingHeader(
            segment.name(), segment.id(), entry.name(), entry.layout(), entry.capacity(), firstSequence,
            System.currentTimeMillis(),
        )

        /** Reads it from the beginning of [file], which is called [name]. */
        fun read(file: InputStream, name: String): RecordingHeader {
            val start = try {
                file.readNBytes(FIXED_BYTES)
            } catch (failure: IOException) {
                throw RecordingException("The recording $name cannot be read: ${failure.message}.")
            }
            if (start.size < MAGIC.size || !start.copyOf(MAGIC.size).contentEquals(MAGIC)) {
                throw RecordingException("The file $name is no recording. Recordings are made by: " +
                    "bywash record SEGMENT NAME FILE.")
            }
            val fixed = littleEndian(start).position(MAGIC.size)
            if (start.size < FIXED_BYTES) {
                throw damaged(name)
            }
            val version = fixed.int
            if (version != VERSION) {
                throw RecordingException("The recording $name has version $version of the format, and this program " +
                    "knows version $VERSION. Use the version of Bywash that made it.")
            }
            val size = fixed.int
            val segmentId = fixed.long
            val startMillis = fixed.long
            val firstSequence = fixed.long
            val ringBytes = fixed.long
            val lengths = List(3) { fixed.int }
            if (size !in FIXED_BYTES..MAX_BYTES || lengths.any { it !in 0..size } ||
                lengths.sum() != size - FIXED_BYTES - Int.SIZE_BYTES) {
                throw damaged(name)
            }
            val rest = file.readNBytes(size - FIXED_BYTES)
            val whole = littleEndian(start + rest)
            if (rest.size != size - FIXED_BYTES ||
                whole.getInt(size - Int.SIZE_BYTES) != checksum(whole.array(), size - Int.SIZE_BYTES)) {
                throw damaged(name)
            }
            val texts = littleEndian(rest)
            val (segment, entry, layout) = lengths.map { String(ByteArray(it).also(texts::get)) }
            return RecordingHeader(segment, segmentId, entry, layout, ringBytes, firstSequence, startMillis)
        }

        private fun damaged(name: String) = RecordingException("The recording $name is cut or damaged within its " +
            "header, so that nothing in it can be used.")

        internal fun littleEndian(size: Int): ByteBuffer = littleEndian(ByteArray(size))

        internal fun littleEndian(bytes: ByteArray): ByteBuffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)

        internal fun checksum(bytes: ByteArray, length: Int): Int =
            CRC32C().apply { update(bytes, 0, length) }.value.toInt()
    }
}
