package io.bywash.samples.bench

import io.bywash.engine.Claim
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test

/** The scenarios that are no part of the whole. */
class ComparisonTest : BenchFixture() {
    @Test
    fun coroutinesAreComparedWithTheEngineAndAllocateNothing() {
        assertEquals(0, bench("coroutines", "--json"), { err })
        val figures = Regex("\"([^\"]+)\": ([0-9.]+)").findAll(out).associate { it.groupValues[1] to it.groupValues[2] }
        assertEquals(emptyList<String>(), COROUTINES - figures.keys)
        for (nothing in listOf("coroutines.bytesPerOperation", "coroutines.sleepers.threadsPerWaiter")) {
            assertTrue(figures.getValue(nothing).toDouble() < 0.5, "$nothing: ${figures[nothing]}")
        }
    }

    @Test
    fun structuresGiveTheirFigures() {
        assertEquals(0, bench("structures", "--json"), { err })
        for (key in listOf("cell.latest.readNanos", "cell.latest.inPlace.readNanos", "cell.latest.copied.readNanos",
            "cell.add.nanos", "cell.add.vsBare", "ring.single.nanos", "ring.bulk100.nanos", "ring.bulk100.vsSingle",
            "pool.acquireRelease.fill1.nanos", "pool.acquireRelease.fill50.nanos", "pool.acquireRelease.fill99.nanos",
            "pool.fill99.vsFill1", "pool.acquireRelease.pair.nanos")) {
            assertTrue("\"$key\": " in out, "$key: $out")
        }
    }

    @Test
    fun nativeProgramsAreComparedWithJava() {
        assumeTrue(hasCompiler(), "there is no C compiler")
        assertEquals(0, bench("native", "--json"), { err })
        for (key in listOf("native.throughput.cToC.backoff.rate.median", "native.rtt.javaToC.backoff.p50.median",
            "native.cToC.vsJava", "native.cToJava.vsJava", "native.javaToC.vsJava", "native.cToC.vsRawCopy",
            "native.rtt.cToC.vsJava", "native.calls.cToC.backoff.p50.median", "native.calls.cToC.vsJava",
            "native.calls.cToJava.vsJava", "native.calls.javaToC.vsJava")) {
            assertTrue("\"$key\": " in out, "$key: $out")
        }
    }

    @Test
    fun callsAreComparedWithAeronAndASocket() {
        assertEquals(0, bench("calls", "--json"), { err })
        for (key in listOf("rttNanos", "rtt.vsAeron", "spin.socketVs", "backoff.socketVs", "block.socketVs",
            "spin.inFlight32.vsSingle", "block.inFlight32.vsSingle", "block.wakesPerCall.1", "block.wakesPerCall.32",
            "responders.1", "responders.2", "responders.4")) {
            assertTrue("\"calls.$key\": " in out, "$key: $out")
        }
    }

    @Test
    fun osgiIsComparedWithAPollLoop() {
        assertEquals(0, bench("osgi", "--json"), { err })
        val keys = Regex("\"([^\"]+)\": ").findAll(out.trim()).map { it.groupValues[1] }.toSet()
        for (name in listOf("poll", "whiteboard", "eventAdmin", "eventAdmin.noTimeout", "typedEvent")) {
            for (metric in listOf("rate", "p50", "p99", "max", "sleepMax")) {
                assertTrue("osgi.$name.$metric" in keys, "$name.$metric is not in $keys")
            }
        }
        val queues = listOf("appearMillis", "idlePercent", "idlePercentWithout", "descriptors", "mappings")
        val ratios = listOf("", "work.", "call.").map { "osgi.${it}whiteboard.vsPoll" }
        assertTrue(keys.containsAll(queues.map { "osgi.queues.$it" } + ratios), "$keys")
        assertTrue("\"osgi.queues.descriptors\": 4.000, \"osgi.queues.mappings\": 4.000" in out, out)
    }

    @Test
    fun twoEnginesAreComparedRoundByRound() {
        val engine = Path.of(Claim::class.java.protectionDomain.codeSource.location.toURI())
        assertEquals(0, bench("--against", "$engine", "--json"), { err })
        for (key in listOf("against.throughput.64.backoff.low95", "against.rtt.48.spin.ratio")) {
            assertTrue("\"$key\": " in out, out)
        }
    }

    private companion object {
        val COROUTINES = listOf(
            "single.vsEngine", "queue.vsEngine", "queue.vsPolling", "call.vsEngine", "batch.vsEngine",
            "shared.streaming.vsPlain", "shared.noReader.vsPlain", "wake.vsFutex",
            "wake.oneThread.vsFutex", "rtt.vsEngine", "rtt.pool.vsEngine", "rtt.besideSleepers.vsAlone",
            "bytesPerOperation", "sleepers.cpuPercent", "sleepers.threadsPerWaiter",
            "noReader.kotlin.shared.nanos.median", "single.kotlin.shared.rate.median",
        ).map { "coroutines.$it" }
    }
}
