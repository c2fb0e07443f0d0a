package io.bywash.bus

import io.bywash.engine.Message
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CopyOnWriteArrayList
import java.util.logging.Handler
import java.util.logging.LogRecord
import java.util.logging.Logger
import kotlin.io.path.deleteRecursively
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.extension.AfterEachCallback
import org.junit.jupiter.api.extension.BeforeEachCallback
import org.junit.jupiter.api.extension.ExtensionContext

/** The deadline of everything that a test waits for. */
val PATIENCE = 100.seconds

/** Runs a test in real threads, with a deadline. */
fun test(block: suspend CoroutineScope.() -> Unit) = runBlocking(Dispatchers.Default) { withTimeout(PATIENCE, block) }

/** Looks until [condition] holds; the deadline is that of the test. */
suspend fun eventually(condition: () -> Boolean) {
    while (!condition()) {
        delay(1.milliseconds)
    }
}

/** What is logged while [block] runs; it is printed nowhere. */
inline fun <T> withLog(block: (records: List<LogRecord>) -> T): T {
    val records = CopyOnWriteArrayList<LogRecord>()
    val handler = object : Handler() {
        override fun publish(record: LogRecord) {
            records += record
        }

        override fun flush() = Unit

        override fun close() = Unit
    }
    val log = Logger.getLogger("io.bywash.bus")
    log.useParentHandlers = false
    log.addHandler(handler)
    try {
        return block(records)
    } finally {
        log.removeHandler(handler)
        log.useParentHandlers = true
    }
}

/** A bus directory of one test alone, in shared memory. After the test nothing but the lock file may be left in it. */
class TempBus : BeforeEachCallback, AfterEachCallback {
    lateinit var directory: Path
        private set

    override fun beforeEach(context: ExtensionContext) {
        directory = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-test-")
    }

    private fun left() = directory.listDirectoryEntries().map { it.name } - ".lock"

    @OptIn(ExperimentalPathApi::class)
    override fun afterEach(context: ExtensionContext) {
        val passed = context.executionException.isEmpty // what a failed test leaves is not the news
        val end = TimeSource.Monotonic.markNow() + 30.seconds
        while (passed && left().isNotEmpty() && end.hasNotPassedNow()) {
            Thread.sleep(1) // a thread that is still inside a role takes its segment with it
        }
        val left = left()
        directory.deleteRecursively()
        if (passed) {
            assertEquals(emptyList<String>(), left, "left in the bus directory")
        }
    }
}

/** Numbers with room behind them, so that few fill a ring. */
class NumberCodec(private val bytes: Int = Long.SIZE_BYTES) : DirectCodec<Long> {
    override fun length(value: Long): Int = bytes

    override fun write(value: Long, writer: MessageWriter) {
        writer.putLong(0, value)
        for (index in Long.SIZE_BYTES until bytes) {
            writer.putByte(index, value.toByte())
        }
    }

    override fun read(message: Message): Long {
        val number = message.getLong(0)
        check(message.getByte(bytes - 1) == (if (bytes > Long.SIZE_BYTES) number else number shr 56).toByte())
        return number
    }
}
