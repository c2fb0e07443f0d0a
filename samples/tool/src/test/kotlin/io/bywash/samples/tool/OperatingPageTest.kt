package io.bywash.samples.tool

import io.bywash.engine.BusDirectory
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.queue.Producer
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.jar.Attributes
import java.util.jar.JarOutputStream
import java.util.jar.Manifest
import kotlin.io.path.isExecutable
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.outputStream
import kotlin.io.path.readText
import kotlin.io.path.writeText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.parallel.Execution
import org.junit.jupiter.api.parallel.ExecutionMode
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import org.yaml.snakeyaml.Yaml

/** What docs/OPERATING.md shows for systemd and Kubernetes, and its other commands, as they stand there. */
@Timeout(180)
@Execution(ExecutionMode.CONCURRENT) // each has few processes, and mostly waits
class OperatingPageTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-page-test-")
    private val scratch: Path = Files.createTempDirectory("bywash-page-test-")
    private val page = Path.of("../../docs/OPERATING.md").readText()

    @AfterEach
    fun nothingIsLeft() {
        val left = bus.listDirectoryEntries().filter { it.fileName.toString() != ".lock" }
        listOf(bus, scratch).forEach { it.toFile().deleteRecursively() }
        assertEquals(emptyList<Path>(), left)
    }

    private fun section(title: String) = page.substringAfter("\n## $title\n").substringBefore("\n## ")

    private fun block(section: String, language: String) =
        section.substringAfter("\n```$language\n").substringBefore("\n```")

    /** The values of a unit's keys. */
    private fun values(unit: String) = unit.lines().filter { '=' in it && !it.startsWith("#") }
        .associate { it.substringBefore('=') to it.substringAfter('=') }

    private fun oneLine(text: String) = text.replace(Regex("\\s+"), " ").trim()

    // ---- systemd

    /** A feed, as a service that is told to end by SIGTERM. */
    object Service {
        @JvmStatic
        fun main(arguments: Array<String>) {
            Segment.open(Path.of(System.getenv("BYWASH_DIR"), "market"), SegmentSpec.of(Broadcast.spec("orders", 4096)))
                .use { segment ->
                    Publisher.open(segment.directory().find("orders", Kind.BROADCAST)).use {
                        println("publishes")
                        Thread.sleep(Long.MAX_VALUE)
                    }
                }
        }
    }

    /** A jar that starts [Service]. */
    private fun feedJar(): Path = scratch.resolve("feed.jar").also { jar ->
        val manifest = Manifest()
        manifest.mainAttributes[Attributes.Name.MANIFEST_VERSION] = "1.0"
        manifest.mainAttributes[Attributes.Name.MAIN_CLASS] = Service::class.java.name
        manifest.mainAttributes[Attributes.Name.CLASS_PATH] =
            classPath().split(':').joinToString(" ") { File(it).toURI().toString() }
        JarOutputStream(jar.outputStream(), manifest).close()
    }

    private fun unit(): String {
        val java = ProcessHandle.current().info().command().get()
        return block(section("systemd"), "ini").replace("/usr/bin/java", java).replace("/opt/market/feed.jar",
            feedJar().toString())
    }

    @Test
    fun systemdKnowsAllThatTheServiceOfTheDocumentSays() {
        assumeTrue(System.getenv("PATH").split(':').any { Path.of(it, "systemd-analyze").isExecutable() },
            "the unit of the document is NOT checked: there is no systemd-analyze")
        val file = scratch.resolve("feed.service").apply { writeText(unit()) }
        fun said() = ProcessBuilder("systemd-analyze", "verify", "--man=no", file.toString()).redirectErrorStream(true)
            .start().inputReader().readLines().filter { "feed.service" in it }
        assertEquals(emptyList<String>(), said())
        file.writeText(unit().replace("MemoryMax=", "MemoryMost="))
        assertEquals(1, said().size, "it checks nothing")
    }

    @Test
    fun theServiceOfTheDocumentLeavesInGoodOrderWithTheStatusThatItNames() {
        val unit = values(unit())
        val feed = ProcessBuilder(unit.getValue("ExecStart").split(' '))
            .redirectError(ProcessBuilder.Redirect.INHERIT).apply { environment()["BYWASH_DIR"] = "$bus" }.start()
        try {
            assertEquals("publishes", feed.inputReader().readLine())
            Commands(bus).use { // what its timer runs; nobody reads, but nothing is published either
                val command = Regex("`\\./bywash (health [^`]*)`").find(section("systemd"))!!.groupValues[1]
                assertEquals(0, it.run("$command --ignore space".split(' ')).exitCode)
            }
            feed.destroy() // SIGTERM
            assertTrue(feed.waitFor(60, TimeUnit.SECONDS), "it does not end")
            assertEquals(unit.getValue("SuccessExitStatus").toInt(), feed.exitValue())
            assertThrows(SegmentNotFoundException::class.java) { Segment.attach(bus.resolve("market"), 0) }
        } finally {
            feed.destroyForcibly().waitFor()
        }
    }

    // ---- Kubernetes

    @Suppress("UNCHECKED_CAST")
    private fun map(value: Any?) = value as Map<String, Any>

    @Suppress("UNCHECKED_CAST")
    private fun maps(value: Any?) = value as List<Map<String, Any>>

    private fun mebibytes(quantity: Any?): Long {
        val (number, unit) = Regex("([0-9]+)([MG])i").matchEntire(quantity as String)!!.destructured
        return number.toLong() * if (unit == "G") 1024 else 1
    }

    /** Every key is one of the API's for an object at that place. */
    private fun assertKnown(place: String, value: Any?) {
        when (value) {
            is Map<*, *> -> {
                val known = KEYS[place] ?: error("no object is known at $place")
                assertEquals(emptySet<Any?>(), value.keys - known, place)
                value.forEach { (key, inner) -> assertKnown("$place.$key".removePrefix("."), inner) }
            }
            is List<*> -> value.forEach { assertKnown(place, it) }
        }
    }

    @Test
    fun kubernetesKnowsTheKeysOfThePodOfTheDocumentAndItsPartsFitTogether() {
        val document = map(Yaml().load<Any>(block(section("Kubernetes"), "yaml")))
        assertKnown("", document)
        val pod = map(document["spec"])
        val volume = maps(pod["volumes"]).single()
        val space = map(volume["emptyDir"])
        assertEquals("Memory", space["medium"])
        assertTrue(mebibytes(space["sizeLimit"]) > 64) // what a container has by itself
        val containers = maps(pod["containers"])
        for (container in containers) {
            val mount = maps(container["volumeMounts"]).single()
            assertEquals(volume["name"] to "/dev/shm", mount["name"] to mount["mountPath"])
        }
        val limit = map(map(containers.first()["resources"])["limits"])["memory"]
        assertTrue(mebibytes(limit) > mebibytes(space["sizeLimit"]), "$limit")
        assertTrue(map(pod["securityContext"])["runAsUser"] is Int)
        val probe = map(containers.last()["livenessProbe"])
        assertTrue((probe["timeoutSeconds"] as Int) < probe["periodSeconds"] as Int)
        assertTrue("every ${probe["periodSeconds"]} seconds" in section("Kubernetes"))
    }

    @Test
    fun theProbeOfTheDocumentTellsAWellSegmentFromOneWhoseReaderHangs() {
        val document = map(Yaml().load<Any>(block(section("Kubernetes"), "yaml")))
        val probe = map(map(maps(map(document["spec"])["containers"]).last()["livenessProbe"])["exec"])
        @Suppress("UNCHECKED_CAST")
        val command = probe["command"] as List<String>
        assertEquals("bywash", command.first().substringAfterLast('/'))
        val health = command.drop(1) + listOf("--ignore", "space") // that of this host
        Feed(bus).use { feed ->
            Commands(bus).use { commands ->
                assertEquals(0, commands.run(health).exitCode)
                val checks = section("Kubernetes").substringAfter("leaves a check out:").substringBefore('.')
                assertTrue(oneLine(checks).replace("`", "") in oneLine(commands.run(listOf("health", "--help")).out))
                val archive = java(bus, "io.bywash.samples.tool.Archive", bus.resolve("market").toString()).start()
                try {
                    assertEquals("joined", archive.inputReader().readLine())
                    feed.start()
                    assertEquals("holds a message", archive.inputReader().readLine())
                    val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
                    while (commands.run(health).exitCode == 0) { // until its ring is full
                        assertTrue(System.nanoTime() < end, "the probe does not see the reader that hangs")
                    }
                } finally {
                    archive.destroyForcibly().waitFor()
                }
            }
        }
    }

    // ---- shells

    @ParameterizedTest
    @ValueSource(strings = ["bash --norc --noprofile -i", "zsh -f -i"])
    fun aTabInARealShellCompletesCommandsOptionsAndSegments(shell: String) {
        val name = shell.substringBefore(' ')
        for (tool in listOf(name, "script")) {
            assumeTrue(System.getenv("PATH").split(':').any { Path.of(it, tool).isExecutable() },
                "what $name completes is NOT tested: there is no command '$tool'")
        }
        assertTrue("`source <(./bywash completion bash)`, or `zsh`" in page)
        val script = scratch.resolve("completion")
        Commands(bus).use { script.writeText(it.run(listOf("completion", name)).out) }
        val shown = scratch.resolve("shown")
        val terminal = ProcessBuilder("script", "-q", "-f", "-c", "exec $shell", "/dev/null").redirectErrorStream(true)
            .redirectOutput(shown.toFile()).apply {
                environment() += mapOf("HOME" to "$scratch", "BYWASH_DIR" to "$bus", "SHELL" to "/bin/sh",
                    "TERM" to "xterm")
                environment().remove("ZDOTDIR")
            }.start()

        fun type(keys: String, wanted: String) {
            terminal.outputStream.write(keys.toByteArray())
            terminal.outputStream.flush()
            val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
            while (wanted !in shown.readText()) {
                assertTrue(terminal.isAlive && System.nanoTime() < end, "no '$wanted' in:\n${shown.readText()}")
                Thread.sleep(20)
            }
        }
        val segment = Segment.create(bus.resolve("market"), SegmentSpec.of(Broadcast.spec("orders", 4096)))
        try {
            // As the document says; then a command that shows what it is given. What is typed does not say "ready".
            type("source <(cat '$script'); bywash() { echo given: \"\$*\"; }; echo rea''dy\n", "ready")
            type("bywash doc\t--cl\t\n", "given: doctor --clean")
            type("bywash health ma\t\n", "given: health market")
            type("bywash tail market orders --fr\t\n", "given: tail market orders --from")
        } finally {
            terminal.destroy()
            terminal.waitFor()
            segment.close()
        }
    }

    // ---- the other commands

    @Test
    fun eachCommandOfTheDocumentWorksAsItStandsThere() {
        val lines = Regex("(?m)^(?:echo '([^']*)' \\| )?\\./bywash ([^#\n]+)").findAll(page)
            .map { it.groupValues[1] to it.groupValues[2].trim() }.toList()
        assertEquals(setOf("health", "top", "stat", "doctor", "tail", "send"),
            lines.map { it.second.substringBefore(' ') }.toSet())
        val report = scratch.resolve("report.txt")
        val (input, send) = lines.single { it.first.isNotEmpty() }
        Segment.create(bus.resolve("market"), plantSpec).use { segment ->
            Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE)).use { producer ->
                repeat(3) { assertTrue(producer.offer("a job".toByteArray())) }
            }
            Commands(bus).use { commands ->
                for (line in lines.map { it.second } - send - FOLLOWS) {
                    val outcome = commands.run(line.replace("report.txt", "$report").split(' '))
                    val mayFind = line.startsWith("health") || line == "doctor"
                    assertTrue(outcome.exitCode == 0 || mayFind && outcome.exitCode == 1, line + outcome.err)
                    assertEquals("", outcome.err, line)
                }
                assertTrue("==== verify market" in report.readText())
                follow { assertEquals(0, commands.run(send.split(' '), input).exitCode) }
            }
        }
        BusDirectory.at(bus).remove("market") // it stays while there are messages in a work queue
    }

    /** What goes on until the segment is gone, or who reads it. */
    private fun follow(send: () -> Unit) {
        assertTrue("./bywash $FOLLOWS " in page)
        val shown = scratch.resolve("shown")
        val tail = java(bus, "io.bywash.samples.tool.Tool", *FOLLOWS.split(' ').toTypedArray())
            .redirectErrorStream(true).redirectOutput(shown.toFile()).start()
        try {
            val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
            while ("\"type\":\"Order\"" !in shown.readText()) { // it shows what comes from when it is ready on
                assertTrue(tail.isAlive && System.nanoTime() < end, shown.readText())
                send()
            }
        } finally {
            tail.destroy()
            tail.waitFor()
        }
    }

    private companion object {
        const val FOLLOWS = "tail market orders"

        /** Of the parts of a Pod (core/v1) that the document shows, by their place. */
        val KEYS = mapOf(
            "" to setOf("apiVersion", "kind", "metadata", "spec"),
            "spec" to setOf("securityContext", "containers", "initContainers", "volumes", "restartPolicy"),
            "spec.securityContext" to setOf("runAsUser", "runAsGroup", "fsGroup", "runAsNonRoot"),
            "spec.containers" to setOf("name", "image", "command", "args", "env", "volumeMounts", "resources",
                "livenessProbe", "readinessProbe", "startupProbe"),
            "spec.containers.volumeMounts" to setOf("name", "mountPath", "subPath", "readOnly"),
            "spec.containers.resources" to setOf("limits", "requests"),
            "spec.containers.resources.limits" to setOf("cpu", "memory"),
            "spec.containers.livenessProbe" to setOf("exec", "httpGet", "initialDelaySeconds", "periodSeconds",
                "timeoutSeconds", "failureThreshold", "successThreshold"),
            "spec.containers.livenessProbe.exec" to setOf("command"),
            "spec.volumes" to setOf("name", "emptyDir"),
            "spec.volumes.emptyDir" to setOf("medium", "sizeLimit"),
        )
    }
}
