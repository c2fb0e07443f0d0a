package io.bywash.bus.queue

import io.bywash.bus.EngineRole
import io.bywash.bus.SendingRole
import io.bywash.engine.Claim
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.queue.Delivery
import io.bywash.engine.queue.Producer
import io.bywash.engine.queue.QueueClaim
import io.bywash.engine.queue.Consumer as EngineConsumer

internal class ProducerRole(private val producer: Producer) : SendingRole {
    override val waitable: Producer get() = producer
    override val revocable: Producer get() = producer
    override val nextSequence: Long get() = -1

    override fun label(text: String) = producer.label(text)

    override fun tryClaim(length: Int, type: Int): Claim? = producer.tryClaim(length, type)

    override fun trySend(claim: Claim, staged: Boolean): Boolean = (claim as QueueClaim).tryCommit()

    companion object {
        fun open(queue: WorkQueue<*>, segment: Segment) =
            ProducerRole(Producer.open(queue.find(segment, Kind.WORK_QUEUE)))
    }
}

internal class ConsumerRole(private val consumer: EngineConsumer) : EngineRole {
    override val waitable: EngineConsumer get() = consumer
    override val revocable: EngineConsumer get() = consumer
    override val nextSequence: Long get() = -1

    override fun label(text: String) = consumer.label(text)

    fun take(): Delivery? = consumer.take()

    companion object {
        fun open(queue: WorkQueue<*>, segment: Segment) =
            ConsumerRole(EngineConsumer.open(queue.find(segment, Kind.WORK_QUEUE)))
    }
}
