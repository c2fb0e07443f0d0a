package io.bywash.samples.tool

import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.CoreCliktCommand
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import io.bywash.engine.BusDirectory
import io.bywash.engine.BusException
import io.bywash.engine.Entry
import io.bywash.engine.EntryNotFoundException
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.inspect.StatusText
import java.io.IOException
import java.nio.file.AccessDeniedException
import java.nio.file.FileSystemException
import java.nio.file.NoSuchFileException

/** A command about the standard bus directory. What goes wrong is a sentence, and ends with 1. */
abstract class BusCommand(name: String, private val purpose: String) : CoreCliktCommand(name) {
    protected val bus: BusDirectory by lazy { BusDirectory.standard() }

    override fun help(context: Context) = purpose

    final override fun run() = try {
        act()
    } catch (failure: BusException) {
        fail(failure.message.orEmpty() + similarSegment(failure))
    } catch (failure: IllegalArgumentException) { // a name that is none
        fail(failure.message.orEmpty())
    }

    protected abstract fun act()

    private fun similarSegment(failure: BusException) =
        if (failure is SegmentNotFoundException) similar(soughtName.orEmpty(), bus.names()) else ""

    /** The segment that the user named. */
    protected open val soughtName: String? get() = null

    protected open fun fail(message: String): Nothing {
        System.err.println("bywash: $message")
        throw ProgramResult(1)
    }

    protected fun endWith(ok: Boolean) {
        if (!ok) {
            throw ProgramResult(1)
        }
    }

    /** An entry of a segment, whatever its kind. */
    protected fun entry(segment: Segment, name: String): Entry = segment.directory().find(name).orElseThrow {
        val names = segment.directory().entries().map { it.name() }
        EntryNotFoundException("Segment ${segment.name()} has no entry \"$name\"." + similar(name, names))
    }
}

/** A look at the bus: the same as text or as one JSON document. */
abstract class LookCommand(name: String, purpose: String) : BusCommand(name, purpose) {
    protected val json by option(help = "one JSON document on the standard output instead of text").flag()

    protected fun show(text: StatusText, document: Any) = if (json) println(toJson(document)) else print(text)

    final override fun fail(message: String): Nothing {
        if (json) {
            println(toJson(mapOf("error" to message)))
        }
        super.fail(message)
    }
}

/** Why a file could not be opened, as part of a sentence. */
fun reason(failure: IOException): String = when (failure) {
    is NoSuchFileException -> "there is no such file or folder"
    is AccessDeniedException -> "user ${System.getProperty("user.name")} has no permission"
    is FileSystemException -> failure.reason ?: "the operating system refused it"
    else -> failure.message.orEmpty()
}

/** A sentence with those names that somebody may have meant by another one, or with all if there are few. */
fun similar(name: String, names: List<String>): String {
    val near = names.filter { distance(it.lowercase(), name.lowercase()) <= maxOf(1, name.length / 3) ||
        name.length > 1 && it.startsWith(name, ignoreCase = true) }
    return when {
        near.isNotEmpty() -> " Did you mean ${near.joinToString(" or ")}?"
        names.size in 1..FEW -> " There is ${names.joinToString(", ")}."
        else -> ""
    }
}

private const val FEW = 8

/** How many letters have to be changed, added or removed. */
private fun distance(from: String, to: String): Int {
    var above = IntArray(to.length + 1) { it }
    for (row in 1..from.length) {
        val current = IntArray(to.length + 1)
        current[0] = row
        for (column in 1..to.length) {
            val changed = above[column - 1] + if (from[row - 1] == to[column - 1]) 0 else 1
            current[column] = minOf(changed, above[column] + 1, current[column - 1] + 1)
        }
        above = current
    }
    return above[to.length]
}
