package io.bywash.bus

import kotlinx.coroutines.selects.SelectBuilder

/**
 * A clause of `select` for the next message, as `onReceive` of a kotlinx channel. It is chosen when a message is there,
 * which [block] then gets; a select that chooses another clause, times out or is cancelled takes nothing. When the
 * receiver is closed or its sender has gone, it is chosen, too, and throws what [Receiver.receive] throws.
 *
 * A receiver that skips messages may have lost all that it was chosen for; then it waits for the next one.
 *
 * @sample io.bywash.bus.samples.selectFromTwoTopics
 */
public fun <T : Any, R> SelectBuilder<R>.onReceive(receiver: Receiver<T>, block: suspend (T) -> R) {
    receiver.whenReady().onJoin { block(receiver.receive()) }
}

/** As [onReceive], with the outcome as a value, see [Receiver.receiveResult]. */
public fun <T : Any, R> SelectBuilder<R>.onReceiveResult(receiver: Receiver<T>, block: suspend (BusResult<T>) -> R) {
    receiver.whenReady().onJoin { block(receiver.receiveResult()) }
}

/**
 * A clause of `select` for sending, as `onSend` of a kotlinx channel. It is chosen when there is room; [value] is then
 * sent, and [block] run. A select that chooses another clause, times out or is cancelled sends nothing. When the sender
 * is closed, it is chosen, too, and throws what [Sender.send] throws.
 */
public fun <T : Any, R> SelectBuilder<R>.onSend(sender: Sender<T>, value: T, block: suspend () -> R) {
    sender.whenReady(value).onJoin {
        sender.send(value)
        block()
    }
}
