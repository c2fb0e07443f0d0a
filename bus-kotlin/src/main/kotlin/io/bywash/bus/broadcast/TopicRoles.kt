package io.bywash.bus.broadcast

import io.bywash.bus.ReceivingRole
import io.bywash.bus.SendingRole
import io.bywash.bus.Until
import io.bywash.engine.Claim
import io.bywash.engine.Entry
import io.bywash.engine.Kind
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.wait.Waitable

private fun Topic<*>.find(segment: Segment): Entry = find(segment, Kind.BROADCAST)

internal class PublisherRole(private val publisher: Publisher) : SendingRole {
    override val waitable: Publisher get() = publisher
    override val revocable: Publisher get() = publisher
    override val nextSequence: Long get() = publisher.nextSequence()

    override fun label(text: String) = publisher.label(text)

    override fun tryClaim(length: Int, type: Int): Claim? = publisher.tryClaim(length, type)

    override fun trySend(claim: Claim, staged: Boolean): Boolean {
        if (staged) claim.stage() else claim.commit()
        return true
    }

    override fun publish() = publisher.publish()

    override fun receiverCount(): Int = publisher.subscriberCount()

    override fun receiversPresent(count: Int): Waitable = publisher.subscribersPresent(count)

    companion object {
        fun open(topic: Topic<*>, segment: Segment) = PublisherRole(Publisher.open(topic.find(segment)))
    }
}

internal class SubscriberRole(private val subscriber: Subscriber, until: Until) : ReceivingRole {
    override val waitable: Subscriber get() = subscriber
    override val revocable: Subscriber get() = subscriber
    override val senderGone: Waitable? = if (until == Until.SenderGone) subscriber.publisherGone() else null
    override val nextSequence: Long get() = subscriber.nextSequence()
    override val lostCount: Long get() = subscriber.lostCount()

    override fun label(text: String) = subscriber.label(text)

    override fun poll(handler: MessageHandler, limit: Int): Int = subscriber.poll(handler, limit, 0)

    companion object {
        fun open(topic: Topic<*>, segment: Segment, options: ReceiverOptions, until: Until) =
            SubscriberRole(Subscriber.open(topic.find(segment), options.engine), until)
    }
}
