package io.bywash.samples.bench

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.extension
import kotlin.io.path.listDirectoryEntries

/** Bywash from C: the program `bench` of samples/native, compiled when it is measured. */
class NativeContender(name: String, private val mode: String) :
    Contender(name, listOf(Policy.SPIN, Policy.BACKOFF)) {
    private val sources get() = Path.of(System.getProperty("bywash.native") ?: "../native")

    override fun program(directory: Path): List<String> = synchronized(COMPILERS) {
        val program = directory.resolve("native-bench")
        if (!program.exists()) {
            compile(program)
        }
        listOf("$program", mode)
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

    private companion object {
        val COMPILERS = listOf("cc", "gcc", "clang")
    }
}

private const val MESSAGE_BYTES = 64
private const val ECHO_BYTES = 48

/** C and Java beside each other, in both directions; the keys are explained in `docs/BENCHMARKS.md`. */
fun nativeGroups(effort: Effort, ringBytes: Long): List<Group> {
    fun settings(sizeBytes: Int, native: NativeContender, java: Contender) = listOf(
        Triple("cToC", native, native), Triple("cToJava", native, java), Triple("javaToC", java, native),
        Triple("javaToJava", java, java),
    ).flatMap { (label, writing, reading) ->
        native.policies.takeLast(if (effort == Effort.TINY) 1 else 2).map {
            Setting(writing, it, sizeBytes, ringBytes, label = "$label.${it.key}", reading = reading)
        }
    }
    fun streams(sizeBytes: Int) =
        settings(sizeBytes, NativeContender("bywash.native", "streams"), contender("bywash.claim"))
    val calls = settings(MESSAGE_BYTES, NativeContender("bywash.native.call", "calls"), contender(CallContender.NAME))
    val bare = Setting(contender("raw.copy"), Policy.SPIN, MESSAGE_BYTES, ringBytes, label = "rawCopy")
    return listOf(
        Group("native.throughput", (streams(MESSAGE_BYTES) + bare).map { setting -> { StreamLane(it, setting) } }),
        Group("native.rtt", streams(ECHO_BYTES).map { setting -> { PingLane(it, setting) } }),
        Group("native.calls", calls.map { setting -> { CallLane(it, setting) } }),
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
        for (group in listOf("rtt", "calls")) {
            val nanos = best(group, label, "p50") ?: continue
            best(group, "javaToJava", "p50")?.let { java -> put("native.$group.$label.vsJava", java / nanos) }
        }
    }
    val bare = best("throughput", "rawCopy", "rate")
    best("throughput", "cToC", "rate")?.let { rate -> bare?.let { put("native.cToC.vsRawCopy", rate / it) } }
}
