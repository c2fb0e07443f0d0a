package io.bywash.samples.tool

import java.util.HexFormat
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** How messages are shown: in a line each, by what [layouts] says of them, or as text or hex. */
class Shown(private val layouts: Layouts?, format: String?) {
    private val format = format ?: if (layouts == null) "text" else "json"
    private val reader = layouts?.let(::RecordReader)

    fun line(seen: Seen): String = when (format) {
        "json" -> json(seen).toString().replace(CONTROL) { control ->
            control.value.map { "\\u%04x".format(it.code) }.joinToString("")
        }
        "hex" -> "${seen.sequence}  ${HEX.formatHex(seen.bytes)}"
        else -> "${seen.sequence}  ${text(seen)}"
    }

    private fun text(seen: Seen): String {
        val record = layouts?.record(seen.type)
        val value = record?.let { read(it, seen) } ?: return printable(seen.bytes.decodeToString())
        return "${record.name} " + printable((value as? JsonObject)?.entries
            ?.joinToString(" ") { (name, content) -> "$name=$content" } ?: value.toString())
    }

    /** As `send --as json` takes it. */
    private fun json(seen: Seen): JsonObject {
        val record = layouts?.record(seen.type)
        val sequence = "sequence" to JsonPrimitive(seen.sequence)
        if (record != null) {
            return JsonObject(mapOf(sequence, "type" to JsonPrimitive(record.name), "value" to read(record, seen)))
        }
        val type = "type" to JsonPrimitive(seen.type)
        val text = seen.bytes.decodeToString()
        return JsonObject(if (text.encodeToByteArray().contentEquals(seen.bytes)) {
            mapOf(sequence, type, "text" to JsonPrimitive(text))
        } else {
            mapOf(sequence, type, "hex" to JsonPrimitive(HEX.formatHex(seen.bytes)))
        })
    }

    /** Its fields, or why it has none. */
    private fun read(record: LayoutType, seen: Seen): JsonElement = try {
        checkNotNull(reader).read(record, seen.bytes)
    } catch (wrong: IllegalArgumentException) {
        JsonPrimitive("no ${record.name}: ${wrong.message}: ${HEX.formatHex(seen.bytes)}")
    }

    companion object {
        val HEX: HexFormat = HexFormat.of()
    }
}

private val CONTROL = Regex("[\\p{Cc}\\p{Cf}]")

/** Text from shared memory must not control a terminal. */
fun printable(text: String) = text.replace(CONTROL, "?")
