/**
 * Coroutines for the services of `bywash-osgi`, which has to be there only for those who use this package. What is made
 * of a service ends with it, as if it had been closed: when the bundle releases the service, or the service is
 * withdrawn, loops and flows complete, [consume] and [serve] return, and other operations throw
 * [io.bywash.bus.BusClosedException].
 */
package io.bywash.bus.osgi

import io.bywash.bus.Codec
import io.bywash.bus.EngineRole
import io.bywash.bus.Receiver
import io.bywash.bus.Sender
import io.bywash.bus.TypedEntry
import io.bywash.bus.Until
import io.bywash.bus.UsageGuard
import io.bywash.bus.broadcast.PublisherRole
import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.broadcast.SubscriberRole
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.call.Caller
import io.bywash.bus.call.CallerRole
import io.bywash.bus.call.Endpoint
import io.bywash.bus.call.ResponderRole
import io.bywash.bus.flowOf
import io.bywash.bus.queue.Consumer
import io.bywash.bus.queue.ConsumerRole
import io.bywash.bus.queue.ProducerRole
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.recordCodec
import io.bywash.osgi.BroadcastService
import io.bywash.osgi.EndpointService
import io.bywash.osgi.StructureService
import io.bywash.osgi.WorkQueueService
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.Flow

private fun StructureService.guard(role: EngineRole) =
    UsageGuard(role, "role of $this", { status() }, isClosedWithRole = true)

/** That what is declared is not something else. */
private fun <E : TypedEntry<*>> StructureService.checked(name: E): E = name.also { it.records?.check(entry()) }

private fun <Q : Any, R : Any> EndpointService.checked(request: Codec<Q>, reply: Codec<R>): Endpoint<Q, R> =
    Endpoint(queue(), request, reply).also { it.checked(entry()) }

/**
 * Joins the queue as a receiver, see [io.bywash.bus.broadcast.receiver].
 *
 * @throws io.bywash.engine.SpecMismatchException when the queue is declared to carry other records
 * @throws io.bywash.engine.BusException as [BroadcastService.subscribe]
 */
public fun <T : Any> BroadcastService.receiver(
    codec: Codec<T>,
    options: ReceiverOptions = ReceiverOptions.block(),
    until: Until = Until.Closed,
    onLost: (Long) -> Unit = {},
): Receiver<T> {
    val topic = checked(Topic(queue(), codec))
    val role = SubscriberRole(subscribe(options.engine), until)
    return Receiver(topic, role, guard(role), onLost, this)
}

/** As [receiver], for records of one class. */
public inline fun <reified T : Record> BroadcastService.receiver(
    options: ReceiverOptions = ReceiverOptions.block(),
    until: Until = Until.Closed,
    noinline onLost: (Long) -> Unit = {},
): Receiver<T> = receiver(recordCodec<T>(), options, until, onLost)

/** The messages as a cold flow, each of whose collectors joins the queue with a [receiver] of its own. */
public fun <T : Any> BroadcastService.flow(
    codec: Codec<T>,
    options: ReceiverOptions = ReceiverOptions.block(),
    until: Until = Until.Closed,
    onLost: (Long) -> Unit = {},
): Flow<T> = flowOf { receiver(codec, options, until, onLost) }

/** As [flow], for records of one class. */
public inline fun <reified T : Record> BroadcastService.flow(
    options: ReceiverOptions = ReceiverOptions.block(),
    until: Until = Until.Closed,
    noinline onLost: (Long) -> Unit = {},
): Flow<T> = flow(recordCodec<T>(), options, until, onLost)

/** Takes the sender's role; the failures are those of [receiver]. */
public fun <T : Any> BroadcastService.sender(codec: Codec<T>): Sender<T> {
    val topic = checked(Topic(queue(), codec))
    val role = PublisherRole(publish())
    return Sender(topic, role, guard(role), this)
}

/** Takes a sender's role; the failures are those of [receiver]. */
public fun <T : Any> WorkQueueService.sender(codec: Codec<T>): Sender<T> {
    val typed = checked(WorkQueue(queue(), codec))
    val role = ProducerRole(producer())
    return Sender(typed, role, guard(role), this)
}

/**
 * Takes a consumer's role, and hands message after message to [block], see [Consumer.consume], until the service ends
 * or this is cancelled. The failures of taking the role are those of [receiver].
 */
public suspend fun <T : Any> WorkQueueService.consume(codec: Codec<T>, block: suspend (T) -> Unit) {
    val typed = checked(WorkQueue(queue(), codec))
    val role = ConsumerRole(consumer())
    Consumer(typed, role, guard(role), this).use { it.consume(block) }
}

/** As [consume], for records of one class. */
public suspend inline fun <reified T : Record> WorkQueueService.consume(noinline block: suspend (T) -> Unit): Unit =
    consume(recordCodec<T>(), block)

/**
 * Takes a caller's role, see [io.bywash.bus.call.caller].
 *
 * @throws io.bywash.engine.SpecMismatchException when the endpoint is declared to carry other records
 * @throws io.bywash.engine.BusException as [EndpointService.caller]
 */
public fun <Q : Any, R : Any> EndpointService.caller(
    request: Codec<Q>,
    reply: Codec<R>,
    failsFast: Boolean = false,
): Caller<Q, R> {
    val endpoint = checked(request, reply)
    val role = CallerRole(caller())
    role.caller.failFast(failsFast)
    return Caller(endpoint, role, guard(role), this)
}

/**
 * Calls once with a record, see [Caller.call]. It takes a caller's role for that; whoever calls again and again keeps a
 * [caller].
 */
public suspend inline fun <reified Q : Record, reified R : Record> EndpointService.call(
    request: Q,
    timeout: Duration = 10.seconds,
): R = caller(recordCodec<Q>(), recordCodec<R>()).use { it.call(request, timeout) }

/**
 * Answers requests until the service ends or this is cancelled, see [io.bywash.bus.call.serve].
 *
 * @throws io.bywash.engine.SpecMismatchException when the endpoint is declared to carry other records
 * @throws io.bywash.engine.BusException as [EndpointService.responder]
 */
public suspend fun <Q : Any, R : Any> EndpointService.serve(
    request: Codec<Q>,
    reply: Codec<R>,
    workers: Int = 1,
    block: suspend (Q) -> R,
) {
    io.bywash.bus.call.serve(checked(request, reply), workers, block) { make ->
        ResponderRole(responder()).let { make(it, guard(it)) }
    }
}
