package io.bywash.bus

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/**
 * A kotlinx channel with the messages of this receiver, for code that needs that type (`select` does not, see
 * [onReceive]). A coroutine in [scope] moves the messages. It takes up to [capacity] + 1 messages from the queue before
 * anybody asks for them. When the channel or the scope is cancelled, [onUndelivered] gets those that nobody has
 * received; without it they are lost.
 *
 * The channel is closed when a loop over this receiver would end. If the loop would throw, the channel is closed with
 * that failure, which also fails the scope. To end the coroutine, cancel the channel or the scope; this receiver stays
 * open.
 */
public fun <T : Any> Receiver<T>.channelIn(
    scope: CoroutineScope,
    capacity: Int = Channel.RENDEZVOUS,
    onUndelivered: ((T) -> Unit)? = null,
): ReceiveChannel<T> {
    val channel = Channel(capacity, onUndeliveredElement = onUndelivered)
    val moving = scope.launchMoving({ if (it is CancellationException) channel.cancel(it) else channel.close(it) }) {
        for (value in this) {
            channel.send(value)
        }
    }
    channel.cancelWhenClosed(moving::cancel)
    return channel
}

/**
 * A kotlinx channel into this sender, for code that needs that type. A coroutine in [scope] moves the values. When
 * `send` of the channel returns, the value was handed over to that coroutine; it may not be in shared memory yet, and
 * may be lost with this process. When the scope is cancelled or sending fails, [onUndelivered] gets the values that
 * were handed over and not sent; without it they are lost.
 *
 * Closing the channel sends what is in it, and then ends the coroutine; this sender stays open.
 */
public fun <T : Any> Sender<T>.channelIn(
    scope: CoroutineScope,
    capacity: Int = Channel.RENDEZVOUS,
    onUndelivered: ((T) -> Unit)? = null,
): SendChannel<T> {
    val channel = Channel(capacity, onUndeliveredElement = onUndelivered)
    fun end(failure: Throwable?) = channel.cancel(
        failure as? CancellationException ?: CancellationException("the values cannot be sent any more", failure),
    )
    scope.launchMoving(::end) {
        for (value in channel) {
            try {
                send(value)
            } catch (failure: Throwable) {
                onUndelivered?.invoke(value)
                throw failure
            }
        }
    }
    return channel
}

/**
 * Moves values in a coroutine that calls [end], with its failure, as the last thing it does, even if it is cancelled
 * before it begins: so what is under way was handed back when the scope has been joined.
 */
@OptIn(DelicateCoroutinesApi::class)
private fun CoroutineScope.launchMoving(end: (Throwable?) -> Unit, move: suspend () -> Unit): Job =
    launch(start = CoroutineStart.ATOMIC) {
        val failure = runCatching { move() }.exceptionOrNull()
        end(failure)
        failure?.let { throw it }
    }

/** Its receivers have cancelled it: nobody wants another value. */
@OptIn(ExperimentalCoroutinesApi::class)
private fun Channel<*>.cancelWhenClosed(cancel: () -> Unit) = invokeOnClose { cancel() }

/** Sends all values of the flow, in order, and returns when the flow has completed. The sender stays open. */
public suspend fun <T : Any> Flow<T>.sendTo(sender: Sender<T>) {
    collect { sender.send(it) }
}
