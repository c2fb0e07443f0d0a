package io.bywash.samples.bench

import com.lmax.disruptor.BlockingWaitStrategy
import com.lmax.disruptor.BusySpinWaitStrategy
import com.lmax.disruptor.RingBuffer
import com.lmax.disruptor.Sequence
import com.lmax.disruptor.SleepingWaitStrategy
import com.lmax.disruptor.YieldingWaitStrategy
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.channels.trySendBlocking
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.channels.Channel as CoroutineChannel

private fun fill(message: LongArray, first: Long) {
    if (Payload.IN_WORDS) {
        for (i in message.indices) {
            message[i] = Payload.word(first, i)
        }
    } else {
        Payload.WORD_TEMPLATE.copyInto(message)
        message[0] = first
    }
}

private fun capacity(channel: Channel) = java.lang.Long.highestOneBit(channel.ringBytes / Payload.SIZE).toInt()

/** LMAX Disruptor, with its own wait strategies: threads of one process, so it moves no bytes between processes. */
class DisruptorContender : Contender("disruptor", listOf(Policy.SPIN, Policy.YIELD, Policy.PARK, Policy.BLOCK)) {
    private val rings = ConcurrentHashMap<Int, RingBuffer<LongArray>>()

    override val crossesProcesses get() = false

    override fun writer(channel: Channel, policy: Policy): Writer {
        val strategy = when (policy) {
            Policy.SPIN -> BusySpinWaitStrategy()
            Policy.YIELD -> YieldingWaitStrategy()
            Policy.PARK -> SleepingWaitStrategy()
            else -> BlockingWaitStrategy()
        }
        val ring = RingBuffer.createSingleProducer({ LongArray(Payload.WORDS) }, capacity(channel), strategy)
        rings[channel.id] = ring
        return object : Writer() {
            override fun send(first: Long) {
                val sequence = ring.next()
                fill(ring.get(sequence), first)
                ring.publish(sequence)
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val ring = rings.getValue(channel.id)
        val barrier = ring.newBarrier()
        val position = Sequence(ring.cursor)
        ring.addGatingSequences(position)
        return object : Reader() {
            override fun receive(limit: Int): Int {
                val from = position.get() + 1
                val until = minOf(barrier.waitFor(from) + 1, from + limit)
                for (sequence in from until until) {
                    val message = ring.get(sequence)
                    take(message[0], message.sum())
                }
                position.set(until - 1)
                return (until - from).toInt()
            }
        }
    }
}

/** A channel of kotlinx.coroutines: threads of one process, an object for each message. */
class ChannelContender : Contender("channel", listOf(Policy.SPIN, Policy.BLOCK)) {
    private val channels = ConcurrentHashMap<Int, CoroutineChannel<LongArray>>()

    override val crossesProcesses get() = false

    override fun writer(channel: Channel, policy: Policy): Writer {
        val opened = CoroutineChannel<LongArray>(capacity(channel))
        channels[channel.id] = opened
        return object : Writer() {
            override fun send(first: Long) {
                val message = LongArray(Payload.WORDS)
                fill(message, first)
                if (policy == Policy.BLOCK) {
                    opened.trySendBlocking(message)
                } else {
                    while (!opened.trySend(message).isSuccess) {
                        Thread.onSpinWait()
                    }
                }
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val opened = channels.getValue(channel.id)
        return object : Reader() {
            override fun receive(limit: Int): Int {
                for (count in 0 until limit) {
                    val message = opened.tryReceive().getOrNull()
                    if (message != null) {
                        take(message[0], message.sum())
                    } else if (count == 0 && policy == Policy.BLOCK) {
                        runBlocking { opened.receive() }.let { take(it[0], it.sum()) }
                    } else {
                        Thread.onSpinWait()
                        return count
                    }
                }
                return limit
            }
        }
    }
}
