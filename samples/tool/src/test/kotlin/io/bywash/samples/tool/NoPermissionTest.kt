package io.bywash.samples.tool

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.samples.tool.recording.RecordingHeader
import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions.fromString
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.setPosixFilePermissions
import kotlin.io.path.writeBytes
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.parallel.Execution
import org.junit.jupiter.api.parallel.ExecutionMode

/** What commands say to whom the operating system refuses access. The superuser becomes somebody else for that. */
@Timeout(180)
@Execution(ExecutionMode.CONCURRENT) // each has one more process
class NoPermissionTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-permission-test-")
    private val scratch: Path = Files.createTempDirectory("bywash-permission-test-")
    private val locked = scratch.resolve("locked").createDirectory()
    private val recording = scratch.resolve("recording")
    private val isSuperuser = Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0
    private val feed = Feed(bus)
    private val readable = Segment.create(bus.resolve("readable"),
        SegmentSpec.of(Broadcast.spec("notes", 4096)).withPermissions(fromString("rw-r--r--")))

    @AfterEach
    fun nothingIsLeft() {
        listOf(bus, locked).forEach { it.setPosixFilePermissions(fromString("rwxr-xr-x")) }
        readable.close()
        feed.close()
        assertEquals(emptyList<Path>(), bus.listDirectoryEntries().filter { it.fileName.toString() != ".lock" })
        listOf(bus, scratch).forEach { it.toFile().deleteRecursively() }
    }

    /** A process that may do less than this one with what is in [bus]. */
    private fun commands(): Commands {
        if (!isSuperuser) {
            return Commands(bus)
        }
        val become = listOf("setpriv", "--reuid=$NOBODY", "--regid=$NOBODY", "--clear-groups")
        val java = ProcessHandle.current().info().command().get()
        assumeTrue(runs(listOf("setpriv", "--version")) && runs(become + java + "-version"), "what is said to those " +
            "without permission is NOT tested: this is the superuser, and there is no setpriv, or $java is not theirs")
        return Commands(bus, become, copied())
    }

    private fun runs(command: List<String>) = try {
        ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
            .waitFor() == 0
    } catch (none: IOException) {
        false
    }

    /** The class path where anybody can read it. */
    private fun copied(): String = classPath().split(':').map(::File).filter { it.exists() }
        .mapIndexed { index, file ->
            scratch.resolve("$index-${file.name}").also { file.copyRecursively(it.toFile()) }
        }.joinToString(":")

    private fun prepare() {
        recording.writeBytes(RecordingHeader("market", 1, "orders", ORDER_LAYOUT, 4096, 0, 0).toBytes())
        listOf(bus, scratch, locked).forEach { it.setPosixFilePermissions(fromString("rwxr-xr-x")) }
        Publisher.open(readable.directory().find("notes", Kind.BROADCAST)).use { it.offer("a note".toByteArray()) }
        if (!isSuperuser) { // who owns them
            bus.resolve("market").setPosixFilePermissions(fromString("---------"))
            bus.resolve("readable").setPosixFilePermissions(fromString("r--r--r--"))
            locked.setPosixFilePermissions(fromString("r-xr-xr-x"))
        }
    }

    private fun Commands.refused(command: String, vararg wanted: String) {
        val outcome = run(command.split(' '), "a line")
        assertEquals(1, outcome.exitCode, "$command: ${outcome.out}${outcome.err}")
        assertTrue(outcome.err.startsWith("bywash: "), outcome.err)
        wanted.forEach { assertTrue(it in outcome.err, "no '$it' in what $command says: ${outcome.err}") }
        assertFalse("Exception" in outcome.err, outcome.err)
        if ("--json" in command) {
            assertTrue("error" in outcome.json, outcome.out)
        } else {
            assertEquals("", outcome.out)
        }
    }

    private fun Commands.shown(command: String, vararg wanted: String) {
        val outcome = run(command.split(' '))
        assertEquals(0, outcome.exitCode, "$command: ${outcome.out}${outcome.err}")
        wanted.forEach { assertTrue(it in outcome.out, "no '$it' in what $command shows: ${outcome.out}") }
    }

    @Test
    fun eachCommandSaysWhatIsRefusedAndWhatToDoAndEndsWithOne() = commands().use { commands ->
        prepare()
        val advice = arrayOf("may not use ${bus.resolve("market")}", "Run as the user who created the segment")
        for (list in listOf("ls", "stat readable", "top readable --once")) {
            commands.shown(list, "readable")
        }
        commands.shown("ls", "inaccessible", *advice)
        val new = scratch.resolve("new")
        for (command in listOf("stat market", "stat market --json", "top market --once", "tail market orders --once",
            "send market orders", "record market orders $new", "record market orders $new --json",
            "replay $recording market orders", "layout market", "verify market --json", "health market")) {
            commands.refused(command, *advice)
        }
        assertFalse(new.exists())
        val doctor = commands.run(listOf("doctor", "--remove", "market"))
        assertEquals(1, doctor.exitCode, doctor.err)
        assertTrue("refused" in doctor.out + doctor.err || advice[0] in doctor.err, doctor.out + doctor.err)

        commands.shown("verify readable", "every invariant holds")
        commands.shown("tail readable notes --from oldest --once", "0  a note")
        commands.refused("send readable notes", "may not use ${bus.resolve("readable")}", "To look only")
        val permission = "has no permission."
        commands.refused("record readable notes $locked/new", "cannot be made: user ", permission, "another place")
        commands.refused("replay ${bus.resolve("market")} readable notes", "cannot be read: user ", permission)
        commands.refused("doctor --report $locked/new", "cannot be written to $locked/new: user ", permission)
        readable.close()
        commands.shown("stat", "inaccessible", *advice)
    }

    @Test
    fun whoMayNotEnterTheBusDirectoryIsToldSo() = commands().use { commands ->
        prepare()
        bus.setPosixFilePermissions(fromString(if (isSuperuser) "rwx------" else "---------"))
        for (command in listOf("ls", "ls --json", "stat", "top --once", "doctor --clean")) {
            commands.refused(command, "may not list the bus directory $bus. Run as its owner, or set BYWASH_DIR")
        }
        for (command in listOf("stat market", "health market --json", "tail market orders", "send market orders")) {
            commands.refused(command, "may not use $bus/market")
        }
        val doctor = commands.run(listOf("doctor"))
        assertEquals(1, doctor.exitCode)
        assertTrue("may not list the bus directory $bus." in doctor.out, doctor.out)
    }

    private companion object {
        const val NOBODY = 65_534
    }
}
