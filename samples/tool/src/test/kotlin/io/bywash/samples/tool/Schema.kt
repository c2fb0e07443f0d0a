package io.bywash.samples.tool

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The part of JSON Schema that `schema.json` uses; any other keyword is an error. */
class Schema(private val root: JsonObject) {
    private val definitions = root.getValue("\$defs").jsonObject

    /** What is wrong with a value as one of the definitions; empty when nothing is. */
    fun problems(definition: String, value: JsonElement) = problems(definitions.getValue(definition), value, "")

    private fun problems(schema: JsonElement, value: JsonElement, at: String): List<String> =
        schema.jsonObject.flatMap { (keyword, wanted) -> problems(keyword, wanted, schema.jsonObject, value, at) }

    private fun problems(
        keyword: String, wanted: JsonElement, schema: JsonObject, value: JsonElement, at: String,
    ): List<String> = when (keyword) {
        "\$ref" -> problems(definitions.getValue(wanted.jsonPrimitive.content.substringAfterLast('/')), value, at)
        "type" -> if (wanted.names().any { isOf(it, value) }) none else listOf("$at: $value is no $wanted")
        "enum" -> if (value in wanted.jsonArray) none else listOf("$at: $value is not in $wanted")
        "required" -> wanted.names().filter { value is JsonObject && it !in value }.map { "$at: no $it" }
        "properties" -> wanted.jsonObject.flatMap { (name, each) ->
            (value as? JsonObject)?.get(name)?.let { problems(each, it, "$at/$name") }.orEmpty()
        }
        "additionalProperties" -> {
            val known = schema["properties"]?.jsonObject.orEmpty().keys
            val others = (value as? JsonObject).orEmpty().filterKeys { it !in known }
            when {
                wanted is JsonPrimitive -> others.keys.map { "$at: unknown $it" }
                else -> others.flatMap { (name, each) -> problems(wanted, each, "$at/$name") }
            }
        }
        "items" -> (value as? JsonArray).orEmpty().flatMapIndexed { i, each -> problems(wanted, each, "$at/$i") }
        "description" -> none
        else -> error("schema.json has the keyword $keyword, which is not checked")
    }

    private fun JsonElement.names() =
        if (this is JsonArray) map { it.jsonPrimitive.content } else listOf(jsonPrimitive.content)

    private fun isOf(type: String, value: JsonElement) = when (type) {
        "null" -> value is JsonNull
        "object" -> value is JsonObject
        "array" -> value is JsonArray
        "string" -> value is JsonPrimitive && value.isString
        "boolean" -> value is JsonPrimitive && !value.isString && value.booleanOrNull != null
        "integer" -> value is JsonPrimitive && !value.isString && value.content.toLongOrNull() != null
        "number" -> value is JsonPrimitive && !value.isString && value.content.toDoubleOrNull() != null
        else -> error("schema.json has the type $type, which is not checked")
    }

    private companion object {
        val none = emptyList<String>()
    }
}
