package io.bywash.samples.bench

import io.aeron.Aeron
import io.aeron.ExclusivePublication
import io.aeron.Publication
import io.aeron.Subscription
import io.aeron.driver.MediaDriver
import io.aeron.driver.ThreadingMode
import io.aeron.logbuffer.BufferClaim
import io.aeron.logbuffer.FragmentHandler
import io.aeron.logbuffer.Header
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import org.agrona.DirectBuffer
import org.agrona.concurrent.SleepingMillisIdleStrategy

private val LIVENESS_NANOS = TimeUnit.MINUTES.toNanos(10)

/** Aeron over IPC: an exclusive publication, written in place or by copying. A term is as long as the others' rings. */
class AeronContender(private val inPlace: Boolean) :
    Contender(if (inPlace) "aeron.tryClaim" else "aeron.offer", RIVAL_POLICIES) {
    override val jvmFlags get() = AGRONA_FLAGS
    override val hasMedium get() = true

    /** The media driver, run by the harness: often while Aeron is measured, and hardly ever while others are. */
    override fun medium(directory: Path): () -> Unit {
        val driver = MediaDriver.launch(
            MediaDriver.Context().aeronDirectoryName(directory.resolve("aeron").toString())
                .threadingMode(ThreadingMode.INVOKER).termBufferSparseFile(false)
                .clientLivenessTimeoutNs(LIVENESS_NANOS).publicationUnblockTimeoutNs(2 * LIVENESS_NANOS)
                .imageLivenessTimeoutNs(LIVENESS_NANOS).publicationConnectionTimeoutNs(LIVENESS_NANOS)
                .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(LIVENESS_NANOS)).dirDeleteOnShutdown(true),
        )
        return { driver.sharedAgentInvoker().invoke() }
    }

    private fun connect(channel: Channel) = Aeron.connect(
        Aeron.Context().aeronDirectoryName(channel.directory.resolve("aeron").toString())
            .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(LIVENESS_NANOS))
            .idleStrategy(SleepingMillisIdleStrategy(50)).awaitingIdleStrategy(SleepingMillisIdleStrategy(1)),
    )

    override fun writer(channel: Channel, policy: Policy): Writer {
        val aeron = connect(channel)
        val publication =
            aeron.addExclusivePublication("aeron:ipc?term-length=${channel.ringBytes}|mtu=$MTU", STREAM + channel.id)
        val idle = Idle.of(policy)
        return if (inPlace) Claiming(aeron, publication, idle) else Copying(aeron, publication, idle)
    }

    private abstract class Publishing(
        private val aeron: Aeron,
        protected val publication: ExclusivePublication,
        protected val idle: Idle,
    ) : Writer() {
        override fun connect() {
            while (!publication.isConnected) {
                Thread.sleep(1)
            }
        }

        /** Whether to try again; then it has waited. */
        protected fun isFull(result: Long): Boolean {
            if (result < 0) {
                check(result == Publication.BACK_PRESSURED || result == Publication.ADMIN_ACTION) {
                    "Aeron says " + Publication.errorString(result)
                }
                idle.idle(0, 1)
            }
            return result < 0
        }

        override fun close() {
            publication.close()
            aeron.close()
        }
    }

    private class Claiming(aeron: Aeron, publication: ExclusivePublication, idle: Idle) :
        Publishing(aeron, publication, idle) {
        private val claim = BufferClaim()

        override fun send(first: Long) {
            while (isFull(publication.tryClaim(Payload.SIZE, claim))) {
                // again
            }
            claim.buffer().putPayload(claim.offset(), first)
            claim.commit()
        }
    }

    private class Copying(aeron: Aeron, publication: ExclusivePublication, idle: Idle) :
        Publishing(aeron, publication, idle) {
        private val message = DirectScratch()

        override fun send(first: Long) {
            message.fill(first)
            while (isFull(publication.offer(message.buffer, 0, Payload.SIZE))) {
                // again
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val aeron = connect(channel)
        return Polling(aeron, aeron.addSubscription("aeron:ipc", STREAM + channel.id), Idle.of(policy))
    }

    private class Polling(private val aeron: Aeron, private val subscription: Subscription, private val idle: Idle) :
        Reader(), FragmentHandler {
        override fun receive(limit: Int): Int {
            val count = subscription.poll(this, limit)
            idle.idle(count, limit)
            return count
        }

        override fun onFragment(buffer: DirectBuffer, offset: Int, length: Int, header: Header) {
            var words = 0L
            for (i in 0 until Payload.WORDS) {
                words += buffer.getLong(offset + i * Long.SIZE_BYTES)
            }
            take(buffer.getLong(offset), words)
        }

        override fun close() {
            subscription.close()
            aeron.close()
        }
    }

    private companion object {
        const val STREAM = 1000

        /** The largest, so that no message has to be cut. */
        const val MTU = 65504
    }
}
