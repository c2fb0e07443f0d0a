package io.bywash.samples.tool

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** A message that is no record of its layout, or a JSON value that is none; the message says which field. */
class RecordException(message: String) : IllegalArgumentException(message)

/** The fields of a record, from its bytes alone. What cannot be a value of its field is shown as a number. */
class RecordReader(private val layouts: Layouts) {
    fun read(type: LayoutType, bytes: ByteArray): JsonObject {
        if (bytes.size != type.sizeBytes) {
            throw RecordException("it has ${bytes.size} bytes, and a ${type.name} has ${type.sizeBytes}")
        }
        return read(type, littleEndian(bytes), 0, 0)
    }

    private fun read(type: LayoutType, bytes: ByteBuffer, at: Int, depth: Int): JsonObject {
        if (depth > MAX_DEPTH) {
            throw RecordException("type ${type.name} contains itself")
        }
        return JsonObject(type.fields.associate { it.name to field(it.type, bytes, at + it.offset, depth) })
    }

    private fun field(type: FieldType, bytes: ByteBuffer, at: Int, depth: Int): JsonElement = try {
        if (type.count == 0) {
            one(type, bytes, at, depth)
        } else {
            val size = sizeOf(type, layouts)
            JsonArray(List(minOf(type.count, bytes.capacity() / size)) { one(type, bytes, at + it * size, depth) })
        }
    } catch (outside: IndexOutOfBoundsException) {
        throw RecordException("its layout reaches beyond its bytes: $outside")
    }

    private fun one(type: FieldType, bytes: ByteBuffer, at: Int, depth: Int): JsonElement = when (type.name) {
        "byte" -> JsonPrimitive(bytes.get(at))
        "short" -> JsonPrimitive(bytes.getShort(at))
        "char" -> JsonPrimitive(bytes.getChar(at).toString())
        "int" -> JsonPrimitive(bytes.getInt(at))
        "long" -> JsonPrimitive(bytes.getLong(at))
        "float" -> real(bytes.getFloat(at).toDouble(), bytes.getFloat(at))
        "double" -> real(bytes.getDouble(at), bytes.getDouble(at))
        "boolean" -> bytes.get(at).let { if (it in 0..1) JsonPrimitive(it.toInt() == 1) else JsonPrimitive(it) }
        "enum" -> bytes.getInt(at).let { number ->
            type.constants.getOrNull(number)?.let(::JsonPrimitive) ?: JsonPrimitive(number)
        }
        "string" -> JsonPrimitive(string(bytes, at, type.length))
        else -> read(layouts.part(type.part), bytes, at, depth + 1)
    }

    /** JSON has no number for what is none or infinite. */
    private fun real(value: Double, shown: Number) =
        if (value.isFinite()) JsonPrimitive(shown) else JsonPrimitive(shown.toString())

    private fun string(bytes: ByteBuffer, at: Int, length: Int): String {
        val field = ByteArray(length) { bytes.get(at + it) }
        return field.copyOf(field.indexOf(0).let { if (it < 0) length else it }).decodeToString()
    }
}

/** The bytes of a record, from its fields as JSON. Each field has to be there, but elements at the end of an array. */
class RecordWriter(private val layouts: Layouts) {
    fun write(type: LayoutType, value: JsonElement): ByteArray =
        ByteArray(type.sizeBytes).also { write(type, value, littleEndian(it), 0, "") }

    private fun write(type: LayoutType, value: JsonElement, bytes: ByteBuffer, at: Int, path: String) {
        val fields = value as? JsonObject ?: throw wrong(path.trimEnd('.'), value,
            "no object with the fields of ${type.name}")
        val names = type.fields.map { it.name }
        fields.keys.firstOrNull { it !in names }?.let {
            throw RecordException("record ${type.name} has no field \"$path$it\"." + similar(it, names))
        }
        for (field in type.fields) {
            val given = fields[field.name]
                ?: throw RecordException("field \"$path${field.name}\" of ${type.name} is missing")
            field(field, given, bytes, at + field.offset, path + field.name)
        }
    }

    private fun field(field: LayoutField, value: JsonElement, bytes: ByteBuffer, at: Int, path: String) {
        val type = field.type
        if (type.count == 0) {
            return one(type, value, bytes, at, path)
        }
        val elements = value as? JsonArray ?: throw wrong(path, value, "no array")
        if (elements.size > type.count) {
            throw RecordException("field \"$path\" has ${elements.size} elements, and room for ${type.count}")
        }
        val size = sizeOf(type, layouts)
        elements.forEachIndexed { index, each -> one(type, each, bytes, at + index * size, "$path[$index]") }
    }

    private fun one(type: FieldType, value: JsonElement, bytes: ByteBuffer, at: Int, path: String) {
        if (type.name == "record") {
            return write(layouts.part(type.part), value, bytes, at, "$path.")
        }
        val given = (value as? JsonPrimitive)?.takeIf { it !is JsonNull } ?: throw wrong(path, value, "no ${type.name}")
        val isText = given.isString
        fun <T : Any> number(parsed: T?): T = parsed ?: throw wrong(path, value, "no ${type.name}")
        val text = given.content
        when (type.name) {
            "byte" -> bytes.put(at, number(text.toByteOrNull().takeIf { !isText }))
            "short" -> bytes.putShort(at, number(text.toShortOrNull().takeIf { !isText }))
            "char" -> bytes.putChar(at, number(text.singleOrNull()))
            "int" -> bytes.putInt(at, number(text.toIntOrNull().takeIf { !isText }))
            "long" -> bytes.putLong(at, number(text.toLongOrNull().takeIf { !isText }))
            "float" -> bytes.putFloat(at, number(text.toFloatOrNull()))
            "double" -> bytes.putDouble(at, number(text.toDoubleOrNull()))
            "boolean" -> bytes.put(at, if (number(text.toBooleanStrictOrNull().takeIf { !isText })) 1 else 0)
            "enum" -> bytes.putInt(at, constant(type, text, path))
            else -> string(type, text, isText, bytes, at, path)
        }
    }

    private fun constant(type: FieldType, text: String, path: String): Int = type.constants.indexOf(text).also {
        if (it < 0) throw RecordException("field \"$path\": there is no \"$text\"." + similar(text, type.constants))
    }

    private fun string(type: FieldType, text: String, isText: Boolean, bytes: ByteBuffer, at: Int, path: String) {
        val encoded = try {
            text.encodeToByteArray(throwOnInvalidSequence = true)
        } catch (unpaired: CharacterCodingException) {
            throw RecordException("field \"$path\" is no Unicode text: ${unpaired.message}")
        }
        if (!isText || encoded.size > type.length || 0.toByte() in encoded) {
            throw RecordException("field \"$path\": $text is no text of up to ${type.length} bytes without zeros")
        }
        encoded.forEachIndexed { index, byte -> bytes.put(at + index, byte) }
    }

    private fun wrong(path: String, value: JsonElement, what: String) =
        RecordException(if (path.isEmpty()) "$value is $what" else "field \"$path\": $value is $what")
}

private const val MAX_DEPTH = 32

private fun sizeOf(type: FieldType, layouts: Layouts): Int = when (type.name) {
    "byte", "boolean" -> 1
    "short", "char" -> 2
    "int", "float", "enum" -> 4
    "long", "double" -> 8
    "string" -> type.length
    else -> maxOf(layouts.part(type.part).sizeBytes, 1)
}
