package io.bywash.bus

import java.io.File
import java.lang.classfile.ClassFile
import java.lang.classfile.constantpool.Utf8Entry
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/**
 * The common package knows no kind of structure, and none knows another: read from the constants of its classes. The
 * services of `osgi` are of several kinds.
 */
class ArchitectureTest {
    private val kinds = listOf("broadcast", "call", "cell", "pool", "queue", "ring")
    private val ofAKind = Regex("io/bywash/(?:bus|engine)/(${kinds.joinToString("|")})/\\w+")

    @Test
    fun onlyThePackageOfAKindNamesIt() {
        val classes = File("target/classes").walk().filter { it.extension == "class" && it.name != "module-info.class" }
        val naming = classes.flatMap { file ->
            val texts = ClassFile.of().parse(file.toPath()).constantPool().filterIsInstance<Utf8Entry>()
            texts.flatMap { ofAKind.findAll(it.stringValue()) }.map { it.groupValues[1] to file.parentFile.name }
        }.toSet()
        assertEquals(kinds.map { it to it }.toSet(), naming.filter { it.second != "osgi" }.toSet())
    }
}
