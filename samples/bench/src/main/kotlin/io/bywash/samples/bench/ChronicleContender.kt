package io.bywash.samples.bench

import net.openhft.chronicle.queue.ChronicleQueue
import net.openhft.chronicle.queue.ExcerptAppender
import net.openhft.chronicle.queue.ExcerptTailer
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder

/** Chronicle Queue on tmpfs. It keeps everything that was ever sent, so its rounds are short. */
class ChronicleContender : Contender("chronicle", RIVAL_POLICIES) {
    override val mayFail get() = true
    override val maxRoundBytes get() = 16L shl 20
    override val jvmFlags
        get() = AGRONA_FLAGS + listOf(
            "java.base/java.lang", "java.base/java.lang.reflect", "java.base/java.io", "java.base/java.nio",
            "java.base/java.util", "java.base/sun.nio.ch", "java.base/jdk.internal.ref",
            "java.management/sun.management", "jdk.compiler/com.sun.tools.javac",
        ).map { "--add-opens=$it=ALL-UNNAMED" } + listOf(
            "java.base/jdk.internal.ref", "java.base/sun.nio.ch", "jdk.unsupported/sun.misc",
            "jdk.compiler/com.sun.tools.javac.file",
        ).map { "--add-exports=$it=ALL-UNNAMED" } + "-Dchronicle.analytics.disable=true"

    private fun queue(channel: Channel): ChronicleQueue =
        SingleChronicleQueueBuilder.single(channel.file.toFile()).build()

    override fun writer(channel: Channel, policy: Policy): Writer = Appending(queue(channel))

    private class Appending(private val queue: ChronicleQueue) : Writer() {
        private val appender: ExcerptAppender = queue.createAppender()

        override fun send(first: Long) {
            appender.writingDocument().use { document ->
                val bytes = document.wire()!!.bytes()
                if (Payload.IN_WORDS) {
                    for (i in 0 until Payload.WORDS) {
                        bytes.writeLong(Payload.word(first, i))
                    }
                } else {
                    bytes.writeLong(first)
                    bytes.write(Payload.TEMPLATE, Long.SIZE_BYTES, Payload.SIZE - Long.SIZE_BYTES)
                }
            }
        }

        override fun close() = queue.close()
    }

    override fun reader(channel: Channel, policy: Policy): Reader = Tailing(queue(channel), Idle.of(policy))

    private class Tailing(private val queue: ChronicleQueue, private val idle: Idle) : Reader() {
        private val tailer: ExcerptTailer = queue.createTailer()

        override fun receive(limit: Int): Int {
            var count = 0
            while (count < limit && receiveOne()) {
                count++
            }
            idle.idle(count, limit)
            return count
        }

        private fun receiveOne(): Boolean = tailer.readingDocument().use { document ->
            if (document.isPresent) {
                val bytes = document.wire()!!.bytes()
                val first = bytes.readLong()
                var words = first
                for (i in 1 until Payload.WORDS) {
                    words += bytes.readLong()
                }
                take(first, words)
            }
            document.isPresent
        }

        override fun close() = queue.close()
    }
}
