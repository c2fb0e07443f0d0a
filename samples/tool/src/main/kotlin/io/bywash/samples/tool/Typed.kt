package io.bywash.samples.tool

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** The messages that lines of text stand for: their bytes and type. */
class Typed(private val layouts: Layouts?, format: String?, private val type: Int) {
    private val format = format ?: if (layouts == null) "text" else "json"
    private val writer = layouts?.let(::RecordWriter)

    /** @throws IllegalArgumentException when the line is none; the message says what is wrong with it */
    fun message(line: String): Pair<ByteArray, Int> = when (format) {
        "text" -> line.encodeToByteArray() to type
        "hex" -> hex(line) to type
        else -> json(line)
    }

    private fun hex(text: String) = try {
        Shown.HEX.parseHex(text.filterNot { it.isWhitespace() })
    } catch (wrong: IllegalArgumentException) {
        throw IllegalArgumentException("it is no text of pairs of hexadecimal digits: ${wrong.message}", wrong)
    }

    private fun json(line: String): Pair<ByteArray, Int> {
        val value = try {
            Json.parseToJsonElement(line) as? JsonObject
        } catch (wrong: SerializationException) {
            throw IllegalArgumentException("it is no JSON: ${wrong.message?.lines()?.first()}", wrong)
        }
        requireNotNull(value) { "it is no JSON object" }
        return if (layouts == null) plain(value) else record(layouts, value)
    }

    private fun plain(value: JsonObject): Pair<ByteArray, Int> {
        val number = value["type"]?.let {
            requireNotNull((it as? JsonPrimitive)?.content?.toIntOrNull()) { "field \"type\": $it is no number" }
        }
        val (text, hex) = listOf("text", "hex").map { (value[it] as? JsonPrimitive)?.content }
        val bytes = text?.encodeToByteArray() ?: hex?.let(::hex)
        return requireNotNull(bytes) { "it has neither a field \"text\" nor a field \"hex\"" } to (number ?: type)
    }

    /** Either the fields of the only type, or a type and its fields as "value", as tail shows them. */
    private fun record(layouts: Layouts, value: JsonObject): Pair<ByteArray, Int> {
        val name = (value["type"] as? JsonPrimitive)?.content
        val names = layouts.records.map { it.name }
        val named = layouts.records.firstOrNull { it.name == name && "value" in value }
        require(named != null || layouts.records.size == 1 && "value" !in value) {
            "it needs a \"type\", one of ${names.joinToString()}, and its fields as \"value\"." +
                similar(name.orEmpty(), names)
        }
        val record = named ?: layouts.records.single()
        val fields = if (named == null) value else value.getValue("value")
        return checkNotNull(writer).write(record, fields) to checkNotNull(record.number)
    }
}
