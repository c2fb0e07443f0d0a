package io.bywash.samples.tool

import java.util.Optional
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** What the engine tells as it is: a record becomes an object with its components, what is absent becomes null. */
fun toJson(value: Any?): JsonElement = when (value) {
    null -> JsonNull
    is JsonElement -> value
    is Optional<*> -> toJson(value.orElse(null))
    is Boolean -> JsonPrimitive(value)
    is Number -> JsonPrimitive(value)
    is Collection<*> -> JsonArray(value.map(::toJson))
    is Map<*, *> -> JsonObject(value.entries.associate { (name, content) -> name.toString() to toJson(content) })
    is Record -> JsonObject(value.javaClass.recordComponents.associate { it.name to toJson(it.accessor.invoke(value)) })
    else -> JsonPrimitive(value.toString())
}
