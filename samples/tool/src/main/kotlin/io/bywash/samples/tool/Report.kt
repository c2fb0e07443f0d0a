package io.bywash.samples.tool

import io.bywash.engine.BusDirectory
import io.bywash.engine.BusException
import io.bywash.engine.Segment
import io.bywash.engine.inspect.BusStatus
import io.bywash.engine.inspect.HostStatus
import io.bywash.engine.inspect.LayoutStatus
import io.bywash.engine.inspect.StatusText
import io.bywash.engine.inspect.Verification
import java.io.IOException
import java.io.Writer
import java.nio.file.FileAlreadyExistsException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE_NEW
import java.nio.file.StandardOpenOption.WRITE
import java.time.Instant

/** All that helps somebody elsewhere to find a fault, in one text file; what messages hold is not in it. */
class Report(private val bus: BusDirectory) {
    /** @throws IllegalArgumentException when the file cannot be written; the message is a sentence */
    fun write(file: Path): Unit = try {
        Files.newBufferedWriter(file, CREATE_NEW, WRITE).use { write(it) }
    } catch (exists: FileAlreadyExistsException) {
        throw IllegalArgumentException("There is a file $file already, and it is kept. Name another one.", exists)
    } catch (failure: IOException) {
        throw IllegalArgumentException("The report cannot be written to $file: ${reason(failure)}.", failure)
    }

    private fun write(out: Writer) {
        fun part(title: String, text: () -> Any) {
            out.write("==== $title\n\n")
            out.write(try {
                text().toString().trimEnd()
            } catch (failure: BusException) {
                "failed: ${failure.message}"
            } catch (failure: InternalError) { // a file that was truncated while it was looked at
                "failed: $failure"
            })
            out.write("\n\n")
        }
        part("bywash report of ${Instant.now()}") { facts() }
        part("doctor") { StatusText().host(HostStatus.of(bus)) }
        part("ls") { StatusText().bus(BusStatus.of(bus)) }
        val watch = Watch(bus, null)
        watch.look()
        Thread.sleep(PAUSE_MILLIS)
        val look = watch.look()
        look.events.forEach { out.write("event: $it\n") }
        for (segment in look.segments) {
            part("stat ${segment.now.name}") {
                StatusText().segment(segment.now, segment.earlier).findings(segment.findings)
            }
        }
        for (name in look.segments.map { it.now.name }) {
            part("layout $name") { observed(name) { StatusText().layout(LayoutStatus.of(it)) } }
            part("verify $name") {
                val found = observed(name) { Verification.of(it) }
                if (found.isEmpty()) "Every invariant holds." else StatusText().findings(found)
            }
        }
        part("the same as JSON") { toJson(look.segments.map { it.document }) }
    }

    private fun <T> observed(name: String, look: (Segment) -> T): T = Segment.observe(bus.path(name)).use(look)

    private fun facts() = buildString {
        for (name in listOf("java.vm.name", "java.vm.version", "java.version", "os.name", "os.version", "os.arch")) {
            append("$name: ${System.getProperty(name)}\n")
        }
        append("processors: ${Runtime.getRuntime().availableProcessors()}\n")
        append("bus directory: ${bus.path()}\n")
        listOf("BYWASH_DIR", "TERM", "LC_ALL", "LANG", "JAVA_TOOL_OPTIONS").forEach { name ->
            System.getenv(name)?.let { append("$name: $it\n") }
        }
        listOf("/proc/version", "/proc/loadavg", "/proc/uptime").forEach { file ->
            runCatching { Files.readString(Path.of(file)).trim() }.onSuccess { append("$file: $it\n") }
        }
    }

    private companion object {
        const val PAUSE_MILLIS = 500L
    }
}
