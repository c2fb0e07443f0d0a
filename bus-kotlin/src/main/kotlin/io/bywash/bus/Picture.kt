package io.bywash.bus

/**
 * What an entry looks like in the picture of a topology.
 *
 * @param from who puts something in
 * @param content how large it is
 * @param to who takes something out
 * @param deadLetters the name of the queue for its dead letters, if it has one
 * @param then what becomes of messages that fail
 */
internal class Picture(
    private val name: String,
    private val from: String,
    private val content: String,
    private val to: String,
    private val deadLetters: String? = null,
    private val then: String = "",
) {
    /** A line, for example `sender -> ["ticks" 4 MiB] -> 64 receivers`, whose columns are as wide as those of all. */
    fun text(all: List<Picture>): String {
        val width = all.maxOf { it.name.length } + 2
        val names = "\"$name\"".padEnd(width)
        return "${from.padEnd(all.maxOf { it.from.length })} -> [$names $content] -> $to$then"
    }

    /** Lines of a flowchart; its nodes are [id] and what begins with that. */
    fun mermaid(id: String, idOf: (String) -> String): String = buildString {
        append("\n  ${id}i([\"$from\"]) --> $id[\"$name: $content\"] --> ${id}o([\"$to\"])")
        deadLetters?.let { append("\n  $id -.->|dead letters| ${idOf(it)}") }
    }
}
