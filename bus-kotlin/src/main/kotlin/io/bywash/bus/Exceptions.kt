package io.bywash.bus

import kotlinx.coroutines.CancellationException

/**
 * The sender, the receiver or the whole bus was closed in this process. Like the exception after `cancel()` of a
 * kotlinx channel, it is a [CancellationException]: a coroutine that it ends counts as cancelled, and does not fail its
 * parent.
 */
public class BusClosedException internal constructor(message: String) : CancellationException(message)

/**
 * The sender has closed or is proven dead, and all its messages were received. Only for receivers with
 * [Until.SenderGone].
 */
public class SenderGoneException internal constructor(message: String) : NoSuchElementException(message)

/**
 * A codec could not read a message. The message counts as received; that of a work queue was given back.
 *
 * @property queue the name of the queue
 * @property sequence the sequence of the message
 */
public class DecodingException internal constructor(
    public val queue: String,
    public val sequence: Long,
    cause: Throwable,
) : RuntimeException("Message $sequence of queue \"$queue\" could not be decoded: $cause", cause)
