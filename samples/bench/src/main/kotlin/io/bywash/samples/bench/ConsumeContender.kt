package io.bywash.samples.bench

import io.bywash.bus.Bus
import io.bywash.bus.Sender
import io.bywash.bus.bus
import io.bywash.bus.bytes
import io.bywash.bus.queue.Consumer
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.consumer
import io.bywash.bus.queue.queue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking

/** A work queue between coroutines: each message is sent, consumed and acknowledged by itself. */
class ConsumeContender : QueueContender("kotlin.consume", listOf(Policy.BACKOFF)) {
    private val queue = WorkQueue("queue", ContentCodec(isReusing = true))

    override fun writer(channel: Channel, policy: Policy): Writer {
        val topology = bus("channel-${channel.id}") {
            queue(queue) {
                capacity = slots(channel)
                maxMessage = Payload.SIZE.bytes
            }
        }
        val bus = topology.open(channel.directory)
        return Sending(bus, bus.sender(queue))
    }

    private class Sending(private val bus: Bus, private val sender: Sender<Content>) : Writer() {
        private val words = Content(0)

        override fun send(first: Long) = sendAll(first, first + 1)

        override fun sendAll(from: Long, until: Long) = runBlocking {
            for (first in from until until) {
                words.first = first
                sender.send(words)
            }
        }

        override fun close() = bus.close()
    }

    override fun reader(channel: Channel, policy: Policy): Reader = runBlocking {
        val bus = bus("channel-${channel.id}") { queue(queue) }.attach(20.seconds, channel.directory)
        Consuming(bus, bus.consumer(queue))
    }

    private class Consuming(private val bus: Bus, private val consumer: Consumer<Content>) : Reader() {
        override fun receive(limit: Int): Int = runBlocking {
            repeat(limit) { consumer.consumeOne { words -> take(words.first, words.sum) } }
            limit
        }

        override fun close() = bus.close()
    }
}
