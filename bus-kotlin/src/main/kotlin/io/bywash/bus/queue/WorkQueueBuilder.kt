package io.bywash.bus.queue

import io.bywash.bus.BusBuilder
import io.bywash.bus.BusDsl
import io.bywash.bus.Codec
import io.bywash.bus.Declaration
import io.bywash.bus.Faults
import io.bywash.bus.Picture
import io.bywash.bus.Size
import io.bywash.bus.areOtherRecords
import io.bywash.bus.bytes
import io.bywash.bus.recordCodec
import io.bywash.engine.EntrySpec
import io.bywash.engine.queue.DeliveryPolicy
import io.bywash.engine.queue.WorkQueue as EngineQueue

/** Declares a work queue of records of one class, and returns its typed name. */
public inline fun <reified T : Record> BusBuilder.queue(
    name: String,
    noinline declare: WorkQueueBuilder.() -> Unit = {},
): WorkQueue<T> = queue(name, recordCodec<T>(), declare)

/** Declares a work queue whose messages have the format of [codec], and returns its typed name. */
public fun <T : Any> BusBuilder.queue(
    name: String,
    codec: Codec<T>,
    declare: WorkQueueBuilder.() -> Unit = {},
): WorkQueue<T> = WorkQueue(name, codec).also { queue(it, declare) }

/** Declares a work queue whose typed name was made elsewhere. */
public fun BusBuilder.queue(queue: WorkQueue<*>, declare: WorkQueueBuilder.() -> Unit = {}) {
    declare(WorkQueueDeclaration(queue, WorkQueueBuilder().apply(declare)))
}

/** The block of [queue]: settings of one work queue. Used by one thread. */
@BusDsl
public class WorkQueueBuilder internal constructor() {
    /** How many messages it holds, a power of two; 1024 by default. What consumers hold takes no capacity. */
    public var capacity: Int = 1024

    /**
     * The size of the largest message, up to 1 GiB. Null, the default, for that of the largest record, or for 1 KiB if
     * the messages are no records. All messages take as much memory as the largest.
     */
    public var maxMessage: Size? = null

    /** The largest number of senders and consumers together at one time, in all processes, 2 to 1024; 64 by default. */
    public var roles: Int = EngineQueue.DEFAULT_ROLES

    /**
     * Whether a message whose consumer died or gave it back is delivered again, so at least once; true by default.
     * Otherwise it is dropped and counted, so it is delivered at most once.
     */
    public var redelivers: Boolean = true

    /** How often a message is delivered at most, 1 or more. Null, the default, for as often as it takes. */
    public var deliveries: Int? = null

    /**
     * The queue for messages that were delivered [deliveries] times without success. It is declared in the same bus,
     * and takes messages as long as those of this queue. Null, the default, drops and counts such messages.
     */
    public var deadLetters: WorkQueue<*>? = null

    /**
     * Whether a dead letter is dropped and counted while [deadLetters] has no room for it. Otherwise it stays where it
     * is, and the consumer that gave it back gets no other message; false by default.
     */
    public var dropsDeadLetters: Boolean = false
}

private class WorkQueueDeclaration(private val queue: WorkQueue<*>, private val settings: WorkQueueBuilder) :
    Declaration(queue) {
    private val deadLetters = settings.deadLetters?.name
    private val largest = settings.maxMessage ?: (queue.longestRecord ?: DEFAULT_MESSAGE_BYTES).bytes

    override val kind: String get() = "queue"
    override val words: Map<String, String> get() = mapOf("maxMessageBytes" to "maxMessage", "queue" to "deadLetters")

    override fun spec(faults: Faults): EntrySpec? = spec(
        faults,
        { EngineQueue.spec(queue.name, 1, 1) },
        { EngineQueue.spec("any", settings.capacity, 1) },
        { EngineQueue.spec("any", 1, largest.toInt("maxMessageBytes")) },
        { EngineQueue.spec("any", 1, 1, DeliveryPolicy.redeliver(), settings.roles) },
        { policy() },
    ) { EngineQueue.spec(queue.name, settings.capacity, largest.toInt("maxMessageBytes"), policy(), settings.roles) }

    private fun policy(): DeliveryPolicy {
        val (limit, then) = settings.deliveries to deadLetters
        require(settings.redelivers || limit == null) {
            "deliveries=$limit has no meaning with redelivers=false, which delivers once"
        }
        require(limit != null || then == null) { "deadLetters=\"$then\" gets nothing without a limit: set deliveries" }
        require(then != null || !settings.dropsDeadLetters) { "dropsDeadLetters=true needs deadLetters" }
        val policy = if (settings.redelivers) DeliveryPolicy.redeliver() else DeliveryPolicy.drop()
        val limited = limit?.let(policy::atMost) ?: policy
        return when {
            then == null -> limited
            settings.dropsDeadLetters -> limited.deadLettersOrDrop(then)
            else -> limited.deadLetters(then)
        }
    }

    override fun checkAmong(all: List<Declaration>, faults: Faults) {
        val here = inside(faults)
        val target = all.firstOrNull { it.entry.name == deadLetters }
        when {
            deadLetters == null -> return
            target == null -> here += "deadLetters: there is no \"$deadLetters\" in this bus"
            target !is WorkQueueDeclaration -> here += "deadLetters: \"$deadLetters\" is no work queue"
            target.largest < largest ->
                here += "deadLetters: messages of \"$deadLetters\" have up to ${target.largest}, these up to $largest"
            areOtherRecords(queue, target.queue) -> here += "deadLetters: \"$deadLetters\" carries other records"
            leadsBack(all) -> here += "deadLetters: those of \"$deadLetters\" lead back here"
        }
    }

    private fun leadsBack(all: List<Declaration>): Boolean {
        val queues = all.filterIsInstance<WorkQueueDeclaration>().associateBy { it.queue.name }
        val seen = mutableSetOf<String>()
        return generateSequence(queues[deadLetters]) { queues[it.deadLetters] }
            .takeWhile { seen.add(it.queue.name) }.any { it.queue.name == queue.name }
    }

    override fun picture(spec: EntrySpec): Picture {
        val most = settings.deliveries?.let { ", delivered up to $it times" }.orEmpty()
        val then = deadLetters?.let { ", then to \"$it\"" } ?: if (settings.redelivers) "" else ", dropped if they fail"
        val content = "${spec.capacity} messages of ${Size(spec.elementSizeBytes)}"
        return Picture(queue.name, "senders", content, "consumers", deadLetters, most + then)
    }

    private companion object {
        const val DEFAULT_MESSAGE_BYTES = 1024
    }
}
