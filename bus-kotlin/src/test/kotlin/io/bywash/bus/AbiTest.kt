package io.bywash.bus

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** The public surface is a file in git, so that a reviewer sees it change. */
class AbiTest {
    @Test
    fun thePublicSurfaceIsTheOneInGit() {
        val tools = AbiTools.getInstance(javaClass.classLoader)
        val classes = File("target/classes").walk().filter { it.extension == "class" }.toList()
        val actual = buildString { tools.printJvmDump(this, classes, AbiFilters.EMPTY) }
        val file = Path.of("api/bus-kotlin.api")
        val dump = Path.of("target/bus-kotlin.api")
        Files.writeString(dump, actual)
        val expected = if (Files.exists(file)) Files.readString(file) else ""
        assertEquals(expected, actual, "If the change is meant: cp bus-kotlin/$dump bus-kotlin/$file")
    }
}
