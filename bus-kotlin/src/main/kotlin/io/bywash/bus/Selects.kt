package io.bywash.bus

import kotlinx.coroutines.selects.SelectBuilder

/**
 * A clause of `select` for the next message, like `onReceive` of a kotlinx channel. It is chosen when there is a
 * message, which [block] then gets. A select that chooses another clause, times out or is cancelled takes no message.
 * The clause is also chosen when the receiver is closed or its sender has gone, and then throws what [Receiver.receive]
 * throws.
 *
 * A receiver that skips may lose the message for which its clause was chosen. Then the select suspends until the next
 * message.
 *
 * @sample io.bywash.bus.samples.selectFromTwoTopics
 */
public fun <T : Any, R> SelectBuilder<R>.onReceive(receiver: Receiver<T>, block: suspend (T) -> R) {
    receiver.whenReady().onReady(this) { block(receiver.receive()) }
}

/** As [onReceive], but [block] gets the outcome as a value, see [Receiver.receiveResult]. */
public fun <T : Any, R> SelectBuilder<R>.onReceiveResult(receiver: Receiver<T>, block: suspend (BusResult<T>) -> R) {
    receiver.whenReady().onReady(this) { block(receiver.receiveResult()) }
}

/**
 * A clause of `select` for sending, like `onSend` of a kotlinx channel. It is chosen when there is room; then [value]
 * is sent, and [block] runs. A select that chooses another clause, times out or is cancelled sends nothing. The clause
 * is also chosen when the sender is closed, and then throws what [Sender.send] throws.
 *
 * @throws IllegalStateException when the select has another clause for the same sender
 */
public fun <T : Any, R> SelectBuilder<R>.onSend(sender: Sender<T>, value: T, block: suspend () -> R) {
    sender.whenReady(this, value).onReady(this) {
        sender.send(value)
        block()
    }
}
