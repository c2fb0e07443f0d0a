package io.bywash.samples.bench

import java.lang.foreign.Arena
import java.lang.foreign.FunctionDescriptor
import java.lang.foreign.Linker
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_LONG
import java.lang.invoke.MethodHandle
import java.lang.invoke.MethodType
import java.lang.invoke.VarHandle
import java.nio.channels.FileChannel
import java.nio.channels.FileChannel.MapMode
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE

/** Memory by address, and the futex: the machine itself, without any system between it and the measurement. */
private object Machine {
    @JvmField
    val ALL: MemorySegment = MemorySegment.NULL.reinterpret(Long.MAX_VALUE)

    private val futexNumber = if (System.getProperty("os.arch") == "aarch64") 98L else 202L

    @JvmField
    val SYSCALL: MethodHandle = Linker.nativeLinker().let { linker ->
        val signature = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG)
        val function = linker.downcallHandle(
            linker.defaultLookup().find("syscall").orElseThrow(), signature, Linker.Option.firstVariadicArg(1),
        )
        val long = Long::class.javaPrimitiveType
        function.asType(MethodType.methodType(Void.TYPE, long, long, long, long, long)) // as Kotlin calls it
    }

    fun get(address: Long): Long {
        val value = ALL.get(JAVA_LONG, address)
        VarHandle.acquireFence()
        return value
    }

    fun set(address: Long, value: Long) {
        VarHandle.releaseFence()
        ALL.set(JAVA_LONG, address, value)
    }

    fun futexWait(address: Long, expected: Int) {
        SYSCALL.invokeExact(futexNumber, address, 0L, expected.toLong(), 0L)
    }

    fun futexWake(address: Long) {
        SYSCALL.invokeExact(futexNumber, address, 1L, 1L, 0L)
    }

    fun map(channel: Channel, bytes: Long): MemorySegment =
        FileChannel.open(channel.file, CREATE, READ, WRITE).use { it.map(MapMode.READ_WRITE, 0, bytes, Arena.global()) }
}

private const val PAGE_BYTES = 4096L
private const val CONSUMED = 128L
private const val BELL = 128L
private const val TAKEN = 256L
private const val DATA = PAGE_BYTES

/** A stream of words through a shared ring, published 4 KiB at a time: the most that the machine gives to Java. */
class RawCopy : Contender("raw.copy", listOf(Policy.SPIN, Policy.PAUSE1000, Policy.LAZY)) {
    private class Ring(channel: Channel) {
        val base = Machine.map(channel, DATA + channel.ringBytes).address()
        val data = base + DATA

        /** A whole number of messages, so that none straddles the end. */
        val capacity = channel.ringBytes / Payload.SIZE * Payload.SIZE
        val end = data + capacity
    }

    override fun writer(channel: Channel, policy: Policy): Writer = Writing(Ring(channel), Idle.of(policy))

    private class Writing(private val ring: Ring, private val idle: Idle) : Writer() {
        private val template = MemorySegment.ofArray(Payload.TEMPLATE)
        private val base = ring.base
        private val capacity = ring.capacity
        private var position = 0L
        private var published = 0L
        private var limit = capacity
        private var to = ring.data
        private val end = ring.end

        override fun send(first: Long) {
            if (position + Payload.SIZE > limit) {
                awaitRoom()
            }
            if (Payload.IN_WORDS) {
                for (i in 0 until Payload.WORDS) {
                    Machine.ALL.set(JAVA_LONG, to + i * 8L, Payload.word(first, i))
                }
            } else {
                MemorySegment.copy(template, 0, Machine.ALL, to, Payload.SIZE.toLong())
                Machine.ALL.set(JAVA_LONG, to, first)
            }
            position += Payload.SIZE
            to += Payload.SIZE
            if (to == end) {
                to -= capacity
            }
            if (position - published >= PAGE_BYTES) {
                flush()
            }
        }

        private fun awaitRoom() {
            flush()
            limit = Machine.get(base + CONSUMED) + capacity
            while (position + Payload.SIZE > limit) {
                idle.idle(0, 1)
                limit = Machine.get(base + CONSUMED) + capacity
            }
        }

        override fun flush() {
            published = position
            Machine.set(base, position)
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader = Reading(Ring(channel), Idle.of(policy))

    private class Reading(private val ring: Ring, private val idle: Idle) : Reader() {
        private val share = ring.capacity / 8
        private var from = ring.data
        private var position = 0L
        private var shared = 0L

        override fun receive(limit: Int): Int {
            val available = (Machine.get(ring.base) - position) / Payload.SIZE
            val count = minOf(available, limit.toLong()).toInt()
            for (message in 0 until count) {
                var words = 0L
                for (i in 0 until Payload.WORDS) {
                    words += Machine.ALL.get(JAVA_LONG, from + i * 8L)
                }
                take(Machine.ALL.get(JAVA_LONG, from), words)
                from += Payload.SIZE
                if (from == ring.end) {
                    from = ring.data
                }
            }
            position += count * Payload.SIZE.toLong()
            if (position - shared >= share || count == 0 && position != shared) {
                shared = position
                Machine.set(ring.base + CONSUMED, position)
            }
            idle.idle(count, limit)
            return count
        }
    }
}

/** One word on a cache line of its own, for one message under way at a time: a line's bare way between two cores. */
class RawWord : Contender("raw.line", listOf(Policy.SPIN)) {
    override val streams get() = false

    override fun writer(channel: Channel, policy: Policy): Writer {
        val word = Machine.map(channel, PAGE_BYTES).address()
        return object : Writer() {
            override fun send(first: Long) = Machine.set(word, first)
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val word = Machine.map(channel, PAGE_BYTES).address()
        return object : Reader() {
            private var seen = 0L

            override fun receive(limit: Int): Int {
                val value = Machine.get(word)
                if (value == seen) {
                    Thread.onSpinWait()
                    return 0
                }
                seen = value
                take(value, Payload.sum(value, value + 1)) // only the first word travels
                return 1
            }
        }
    }
}

/** The same with a reader that sleeps on a futex, and a writer that wakes it: the bare wake-up. */
class RawFutex : Contender("raw.futex", listOf(Policy.BLOCK)) {
    override val streams get() = false

    override fun writer(channel: Channel, policy: Policy): Writer {
        val word = Machine.map(channel, PAGE_BYTES).address()
        return object : Writer() {
            private var bell = 0
            private var sent = 0L

            override fun send(first: Long) {
                while (Machine.get(word + TAKEN) != sent) {
                    Thread.onSpinWait()
                }
                sent = first
                Machine.set(word, first)
                VarHandle.releaseFence()
                Machine.ALL.set(JAVA_INT, word + BELL, ++bell)
                Machine.futexWake(word + BELL)
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val word = Machine.map(channel, PAGE_BYTES).address()
        return object : Reader() {
            private var seen = 0L

            override fun receive(limit: Int): Int {
                val bell = Machine.ALL.get(JAVA_INT, word + BELL)
                val value = Machine.get(word)
                if (value == seen) {
                    Machine.futexWait(word + BELL, bell)
                    return 0
                }
                seen = value
                Machine.set(word + TAKEN, value)
                take(value, Payload.sum(value, value + 1)) // only the first word travels
                return 1
            }
        }
    }
}
