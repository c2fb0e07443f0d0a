package io.bywash.samples.bench

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.createDirectories
import kotlin.io.path.isDirectory
import kotlin.io.path.isRegularFile
import kotlin.io.path.relativeTo
import kotlin.io.path.walk
import org.junit.jupiter.api.Assertions.assertTrue

/** What makes the many processes of a benchmark start faster: all classes in jars, and an archive of what they load. */
object FastStart {
    /** Each JVM that tests has its own. */
    private val directory =
        Path.of("target/children", System.getProperty("bywash.test.fork", "1")).toAbsolutePath().createDirectories()

    /** The class path of this JVM, with its directories in one jar: the JVM archives no classes of directories. */
    val classPath = pack(System.getProperty("java.class.path").split(File.pathSeparator).map(Path::of))

    private val basics = listOf("-XX:TieredStopAtLevel=1", "-Xlog:disable")
    private val archive = directory.resolve("bench.jsa").also(::train)

    /** Of each process. */
    val flags = basics + "-XX:SharedArchiveFile=$archive"

    @OptIn(ExperimentalPathApi::class)
    private fun pack(path: List<Path>): String {
        val jar = directory.resolve("bench.jar")
        val names = HashSet<String>()
        ZipOutputStream(Files.newOutputStream(jar)).use { out ->
            out.setLevel(0)
            for (root in path.filter { it.isDirectory() }) {
                for (file in root.walk().filter { it.isRegularFile() && names.add("${it.relativeTo(root)}") }) {
                    out.putNextEntry(ZipEntry("${file.relativeTo(root)}"))
                    Files.copy(file, out)
                }
            }
        }
        return (listOf(jar) + path.filterNot { it.isDirectory() }).joinToString(File.pathSeparator)
    }

    /** One process does what most do, and writes the archive as it ends. */
    private fun train(archive: Path) {
        val bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-bench-test-")
        try {
            val process = ProcessBuilder(
                listOf(ProcessHandle.current().info().command().get()) + basics + listOf(
                    "-XX:ArchiveClassesAtExit=$archive", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
                    "-Djava.io.tmpdir=$bus", "-Dbench.size=64", "-cp", classPath, Child::class.java.name,
                    "bywash.claim", Policy.BACKOFF.name, bus.toString(), "65536", "1",
                ),
            ).redirectErrorStream(true).redirectOutput(directory.resolve("training.txt").toFile()).start()
            process.outputWriter().use { commands ->
                // It ends by itself when it does not understand a command.
                listOf("writer 0", "reader 0", "connect", "stream 0 10000", "close", "end").forEach {
                    commands.appendLine(it)
                }
                commands.flush()
                assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end")
            }
            assertTrue(archive.isRegularFile(), directory.resolve("training.txt").toFile().readText())
        } finally {
            removeQuietly(bus)
        }
    }
}
