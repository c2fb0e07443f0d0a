package io.bywash.samples.bench

import java.lang.foreign.Arena
import java.lang.foreign.FunctionDescriptor
import java.lang.foreign.Linker
import java.lang.foreign.SymbolLookup
import java.lang.foreign.ValueLayout.JAVA_LONG
import java.lang.invoke.MethodHandle
import java.nio.channels.FileChannel
import java.nio.channels.FileChannel.MapMode
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import kotlin.io.path.exists
import kotlin.io.path.writeBytes

/** The tutorial's own ring, in C, compiled when it is measured; a host without a compiler goes without it. */
class TutorialContender : Contender(NAME, listOf(Policy.SPIN)) {
    override val mayFail get() = true

    /** Only in its own setting. */
    override val streams get() = false

    private fun address(channel: Channel) =
        FileChannel.open(channel.file, CREATE, READ, WRITE)
            .use { it.map(MapMode.READ_WRITE, 0, RING_BYTES, Arena.global()) }.address()

    override fun writer(channel: Channel, policy: Policy): Writer =
        Sending(address(channel), Library.of(channel.directory))

    private class Sending(private val ring: Long, library: Library) : Writer() {
        private val sendAll = library.function("tutorial_send")

        override fun send(first: Long) = sendAll(first, first + 1)

        override fun sendAll(from: Long, until: Long) {
            sendAll.invokeExact(ring, from, until)
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader =
        Receiving(address(channel), Library.of(channel.directory))

    private class Receiving(private val ring: Long, library: Library) : Reader() {
        private val receive = library.function("tutorial_receive")
        private val told = Arena.global().allocate(JAVA_LONG, TOLD)

        override fun receive(limit: Int): Int {
            receive.invokeExact(ring, limit.toLong(), told.address())
            val count = told.getAtIndex(JAVA_LONG, 0)
            if (count > 0) {
                take(told.getAtIndex(JAVA_LONG, 2), told.getAtIndex(JAVA_LONG, 1))
            }
            return count.toInt()
        }
    }

    /** The compiled program. Both functions have three words and tell nothing. */
    private class Library(private val symbols: SymbolLookup) {
        fun function(name: String): MethodHandle =
            Linker.nativeLinker().downcallHandle(
                symbols.findOrThrow(name), FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG),
            )

        companion object {
            private val COMPILERS = listOf("cc", "gcc", "clang")

            /** Compiled by the writer, which comes first. */
            fun of(directory: Path): Library {
                val library = directory.resolve("tutorial.so")
                if (!library.exists()) {
                    compile(directory, library)
                }
                return Library(SymbolLookup.libraryLookup(library, Arena.global()))
            }

            private fun compile(directory: Path, library: Path) {
                val path = System.getenv("PATH").orEmpty().split(java.io.File.pathSeparatorChar)
                val compiler = COMPILERS.firstOrNull { name -> path.any { Files.isExecutable(Path.of(it, name)) } }
                    ?: throw BenchFailure("there is no C compiler (${COMPILERS.joinToString()})")
                val source = directory.resolve("tutorial.c")
                source.writeBytes(TutorialContender::class.java.getResourceAsStream("tutorial.c")!!.readAllBytes())
                val output = directory.resolve("tutorial.log")
                val process = ProcessBuilder(compiler, "-O2", "-shared", "-fPIC", "-o", "$library", "$source")
                    .redirectErrorStream(true).redirectOutput(output.toFile()).start()
                if (process.waitFor() != 0) {
                    throw BenchFailure("$compiler could not compile the tutorial's ring: " +
                        "${Files.readString(output).lines().first()}")
                }
            }
        }
    }

    companion object {
        const val NAME = "tutorial.c"
        private const val RING_BYTES = 1L shl 17
        private const val TOLD = 3L
    }
}
