package io.bywash.samples.bench

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.extension
import kotlin.io.path.listDirectoryEntries

/** Bywash from C: the program `bench` of samples/native, compiled when it is measured. */
object NativeContender : Contender("bywash.native", listOf(Policy.SPIN, Policy.BACKOFF)) {
    private val COMPILERS = listOf("cc", "gcc", "clang")
    private val sources get() = Path.of(System.getProperty("bywash.native") ?: "../native")

    @Synchronized
    override fun program(directory: Path): List<String> {
        val program = directory.resolve("native-bench")
        if (!program.exists()) {
            compile(program)
        }
        return listOf("$program")
    }

    private fun compile(program: Path) {
        val path = System.getenv("PATH").orEmpty().split(File.pathSeparatorChar)
        val compiler = COMPILERS.firstOrNull { name -> path.any { Files.isExecutable(Path.of(it, name)) } }
            ?: throw BenchFailure("there is no C compiler (${COMPILERS.joinToString()})")
        val library = sources.resolve("src").listDirectoryEntries().filter { it.extension == "c" }.map { "$it" }
        val flags = listOf("-std=c11", "-D_GNU_SOURCE", "-O2", "-pthread", "-I${sources.resolve("include")}")
        val command = listOf(compiler) + flags +
            listOf("-o", "$program", "${sources.resolve("programs/bench.c")}") + library
        val process = ProcessBuilder(command).redirectErrorStream(true).start()
        val said = process.inputReader().readText()
        if (process.waitFor() != 0) {
            throw BenchFailure("$compiler could not compile samples/native: ${said.lines().first()}")
        }
    }

    override fun writer(channel: Channel, policy: Policy): Writer = throw UnsupportedOperationException(name)

    override fun reader(channel: Channel, policy: Policy): Reader = throw UnsupportedOperationException(name)
}

private const val MESSAGE_BYTES = 64
private const val ECHO_BYTES = 48

/** C and Java beside each other, in both directions; the keys are explained in `docs/BENCHMARKS.md`. */
fun nativeGroups(effort: Effort, ringBytes: Long): List<Group> {
    val java = contender("bywash.claim")
    val pairs = listOf(
        Triple("cToC", NativeContender, NativeContender), Triple("cToJava", NativeContender, java),
        Triple("javaToC", java, NativeContender), Triple("javaToJava", java, java),
    )
    fun settings(sizeBytes: Int) = pairs.flatMap { (label, writing, reading) ->
        NativeContender.policies.takeLast(if (effort == Effort.TINY) 1 else 2).map {
            Setting(writing, it, sizeBytes, ringBytes, label = "$label.${it.key}", reading = reading)
        }
    }
    val bare = Setting(contender("raw.copy"), Policy.SPIN, MESSAGE_BYTES, ringBytes, label = "rawCopy")
    return listOf(
        Group("native.throughput", (settings(MESSAGE_BYTES) + bare).map { setting -> { StreamLane(it, setting) } }),
        Group("native.rtt", settings(ECHO_BYTES).map { setting -> { PingLane(it, setting) } }),
    )
}

/** How much better than Java to Java, each with its better policy. */
fun nativeRatios(report: Report): Map<String, Double> = buildMap {
    fun best(group: String, label: String, metric: String): Double? {
        val medians = report["native.$group"].filter { it.label.substringBefore('.') == label && it.failure == null }
            .map { it.median(metric) }
        return if (metric == "rate") medians.maxOrNull() else medians.minOrNull()
    }
    for (label in listOf("cToC", "cToJava", "javaToC")) {
        val rate = best("throughput", label, "rate")
        best("throughput", "javaToJava", "rate")?.let { java -> rate?.let { put("native.$label.vsJava", it / java) } }
        val nanos = best("rtt", label, "p50")
        best("rtt", "javaToJava", "p50")?.let { java -> nanos?.let { put("native.rtt.$label.vsJava", java / it) } }
    }
    val bare = best("throughput", "rawCopy", "rate")
    best("throughput", "cToC", "rate")?.let { rate -> bare?.let { put("native.cToC.vsRawCopy", rate / it) } }
}
