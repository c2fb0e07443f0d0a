package io.bywash.bus

import java.io.File
import java.lang.classfile.ClassFile
import java.lang.classfile.constantpool.Utf8Entry
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The common package knows no kind of queue: read from the constant pools of its classes. */
class ArchitectureTest {
    private val ofAKind = Regex("io/bywash/(bus|engine)/broadcast/\\w+")

    @Test
    fun onlyThePackageOfAKindNamesIt() {
        val classes = File("target/classes").walk().filter { it.extension == "class" && it.name != "module-info.class" }
        val naming = classes.filter { file ->
            ClassFile.of().parse(file.toPath()).constantPool().any {
                it is Utf8Entry && ofAKind.containsMatchIn(it.stringValue())
            }
        }.toList()
        assertTrue(naming.isNotEmpty())
        assertEquals(setOf("broadcast"), naming.map { it.parentFile.name }.toSet())
    }
}
