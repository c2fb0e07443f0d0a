package io.bywash.samples.tool

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** What a field is: a number, `boolean`, `enum`, `string` or another type, and how many of them; 0 for one alone. */
class FieldType(text: String) {
    val name: String
    val count: Int
    val constants: List<String>

    /** The bytes of a string; else 0. */
    val length: Int

    /** The type that this is a record of; else empty. */
    val part: String

    init {
        val match = requireNotNull(FORM.matchEntire(text)) { "field type $text is unknown" }
        name = match.groupValues[1].substringBefore('[').substringBefore('(').ifEmpty { "record" }
        length = match.groupValues[2].toIntOrNull() ?: 0
        constants = match.groupValues[3].split(',').filter { it.isNotEmpty() }
        part = match.groupValues[4]
        count = match.groupValues[5].toIntOrNull() ?: 0
    }

    private companion object {
        val FORM = Regex(
            "(byte|short|char|int|long|float|double|boolean|string\\[([0-9]{1,9})]|enum\\(([A-Za-z0-9_$,]+)\\)" +
                "|\\(([A-Za-z0-9_$]+)\\))(?:\\[([0-9]{1,9})])?",
        )
    }
}

class LayoutField(val offset: Int, val type: FieldType, val name: String)

/** A type of elements; its [number] is null if it occurs only within others. */
class LayoutType(val number: Int?, val sizeBytes: Int, val name: String, val fields: MutableList<LayoutField>)

/** What the elements of an entry consist of: the text that lies in the segment, as docs/SPEC.md describes it in 4.4. */
class Layouts(text: String) {
    private val types = mutableListOf<LayoutType>()

    init {
        for (line in text.lines().filter { it.isNotEmpty() }) {
            val words = line.trim().split(' ')
            require(words.size == 3) { "line \"$line\" of the layout is neither a type nor a field" }
            if (line.startsWith(" ")) {
                types.last().fields += LayoutField(words[0].toInt(), FieldType(words[1]), words[2])
            } else {
                types += LayoutType(words[0].toIntOrNull(), words[1].toInt(), words[2], mutableListOf())
            }
        }
    }

    /** The types of messages. */
    val records: List<LayoutType> = types.filter { it.number != null }

    fun record(number: Int): LayoutType? = records.firstOrNull { it.number == number }

    fun part(name: String): LayoutType =
        requireNotNull(types.firstOrNull { it.name == name }) { "the layout has no type $name" }
}

fun littleEndian(bytes: ByteArray): ByteBuffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
