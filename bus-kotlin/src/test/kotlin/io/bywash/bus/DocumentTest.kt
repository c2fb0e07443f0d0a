package io.bywash.bus

import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test

/** Each snippet of docs/KOTLIN.md stands in a sample, line by line; `SamplesTest` runs these. */
@Tag("once")
class DocumentTest {
    private fun lines(text: String) = text.lines().map { it.trim() }.filter { it.isNotEmpty() }.joinToString("\n")

    @Test
    fun eachSnippetIsPartOfASampleThatIsRun() {
        val samples = File("src/test/kotlin/io/bywash/bus/samples").walk().filter { it.extension == "kt" }
            .map { lines(it.readText()) }.toList()
        val snippets = Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL)
            .findAll(File("../docs/KOTLIN.md").readText()).map { lines(it.groupValues[1]) }.toList()
        assertTrue(snippets.size >= 8, "only ${snippets.size} snippets were found")
        assertEquals(emptyList<String>(), snippets.filter { snippet -> samples.none { snippet in it } })
    }
}
