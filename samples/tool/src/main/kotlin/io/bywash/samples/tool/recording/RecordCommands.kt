package io.bywash.samples.tool.recording

import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.CoreCliktCommand
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.long
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.bywash.engine.BusDirectory
import io.bywash.engine.BusException
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.samples.tool.toJson
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** A command that ends with 0, or with 1 and a sentence. */
abstract class RecordingCommand(name: String, private val purpose: String) : CoreCliktCommand(name) {
    private val json by option(help = "one JSON document on the standard output instead of text").flag()

    override fun help(context: Context) = purpose

    final override fun run() {
        val failure = try {
            act()
        } catch (refused: BusException) {
            tell(refused.message.orEmpty())
        } catch (refused: RecordingException) {
            tell(refused.message.orEmpty())
        } catch (refused: IllegalArgumentException) { // a name that is none
            tell(refused.message.orEmpty())
        }
        if (failure != null) {
            throw ProgramResult(1)
        }
    }

    /** What went wrong, and was said already; null when all went well. */
    protected abstract fun act(): String?

    private fun tell(failure: String): String = failure.also { finish("", mapOf("error" to it), it) }

    protected fun finish(text: String, document: Map<String, Any?>, failure: String?) {
        if (json) {
            println(toJson(document))
        } else if (text.isNotEmpty()) {
            println(text)
        }
        failure?.let { System.err.println("bywash: $it") }
    }
}

/** Writes what comes through a broadcast to a file. */
class RecordCommand : RecordingCommand(
    "record", "Writes every message of a broadcast to a file, with its time and type, until the segment is gone, or " +
        "this is ended (Ctrl-C). It only observes. Ends with 1 if messages were lost.",
) {
    private val segment by argument(help = "name of the segment")
    private val entry by argument("name", help = "name of the broadcast in it")
    private val file by argument(help = "a new file, or a pipe").path()
    private val from by option(help = "the first message: oldest (that is still there), or now (default)")
        .choice("oldest", "now").default("now")
    private val limit by option(help = "ends after so many messages").long().restrictTo(min = 1)
        .default(Long.MAX_VALUE)
    private val seconds by option(help = "ends after so many seconds").int().restrictTo(1..1_000_000)

    override fun act(): String? = Segment.observe(BusDirectory.standard().path(segment)).use { observed ->
        val recorder = Recorder(observed, entry)
        observed.directory().find(entry, Kind.BROADCAST) // before the file is made
        val channel = Recorder.create(file)
        val ended = CountDownLatch(1)
        var status = 1
        val hook = Thread { // an orderly end is no failure
            recorder.stop()
            if (!awaitEnd(recorder, ended)) {
                val (written, lost) = recorder.progress
                val failure = "The recording $file cannot be ended: nothing could be written to it for " +
                    "$PATIENCE_SECONDS s. It holds $written messages and can be replayed up to there; $lost later " +
                    "ones are lost."
                finish("", mapOf("messages" to written, "lost" to lost, "file" to file.toString(), "error" to failure),
                    failure)
            }
            Runtime.getRuntime().halt(status)
        }
        Runtime.getRuntime().addShutdownHook(hook)
        try {
            val nanos = seconds?.let { it * 1_000_000_000L } ?: Long.MAX_VALUE
            val recorded = recorder.record(channel, file.toString(), from == "oldest", limit, nanos)
            val failure = recorded.failure ?: if (recorded.lost == 0L) null else "${recorded.lost} messages were " +
                "lost: this process or the disk of $file was slower than the publisher. The recording says where."
            finish("${recorded.messages} messages, ${recorded.bytes} bytes, ${recorded.lost} lost",
                mapOf("messages" to recorded.messages, "lost" to recorded.lost, "bytes" to recorded.bytes,
                    "file" to file.toString(), "error" to failure), failure)
            System.out.flush()
            status = if (failure == null) 0 else 1
            failure
        } finally {
            ended.countDown()
            try {
                Runtime.getRuntime().removeShutdownHook(hook)
            } catch (usual: IllegalStateException) { // it ends the process
                hook.join()
            }
        }
    }

    /** Waits as long as something is being written: the reader of a pipe may stand still. */
    private fun awaitEnd(recorder: Recorder, ended: CountDownLatch): Boolean {
        var before: Pair<Long, Long>? = null
        while (recorder.progress != before) {
            before = recorder.progress
            if (ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                return true
            }
        }
        return false
    }

    private companion object {
        const val PATIENCE_SECONDS = 10L
    }
}

/** Publishes what was recorded. */
class ReplayCommand : RecordingCommand(
    "replay", "Publishes what was recorded to a broadcast, whose publisher role must be free; if there is no such " +
        "segment, it is created as it was recorded. Ends with 1 if the file is cut or damaged, after what is before.",
) {
    private val file by argument(help = "a recording").path()
    private val segment by argument(help = "name of the segment")
    private val entry by argument("name", help = "name of the broadcast in it")
    private val speed by option(help = "so many times as fast as recorded, for example 2 or 0.5, or max (default: 1)")
        .convert { text ->
            if (text == "max") Double.POSITIVE_INFINITY
            else text.toDoubleOrNull()?.takeIf { it in 1e-6..1e6 }
                ?: fail("'$text' is no speed; use a number from 0.000001 to 1000000, or max")
        }.default(1.0)
    private val subscribers by option(
        help = "waits until so many subscribers have joined (default: 1 if it creates the segment, else 0)",
    ).int().restrictTo(0..1023)

    override fun act(): String? = Recording(file).use { recording ->
        Replayer(recording, speed).replay(segment, entry, subscribers)
        val missing = if (recording.lostCount == 0L) "" else ", ${recording.lostCount} were lost when it was recorded"
        finish("${recording.messageCount} messages$missing",
            mapOf("messages" to recording.messageCount, "lost" to recording.lostCount, "file" to file.toString(),
                "error" to recording.damage), recording.damage)
        recording.damage
    }
}
