package io.bywash.bus

import io.bywash.engine.Claim
import io.bywash.engine.MessageHandler
import io.bywash.engine.Revocable
import io.bywash.engine.wait.Waitable

/** A role of the engine behind a [Sender] or [Receiver], whatever its kind. Used as the engine's roles are. */
internal interface EngineRole {
    /** What to wait for when the role can do nothing. */
    val waitable: Waitable

    /** The role itself. */
    val revocable: Revocable

    /** The sequence of the next message. Any thread may ask. */
    val nextSequence: Long

    /** Says what the role is, for people who look at the segment. */
    fun label(text: String)
}

/** A role that sends. */
internal interface SendingRole : EngineRole {
    /** Room for a message; null when there is none now. */
    fun tryClaim(length: Int, type: Int): Claim?

    /** Makes visible what was staged. */
    fun publish()

    /** How many receivers that live have joined. */
    fun receiverCount(): Int

    /** Holds when at least so many receivers that live have joined. */
    fun receiversPresent(count: Int): Waitable
}

/** A role that receives. */
internal interface ReceivingRole : EngineRole {
    /** Holds when the sender has gone; null when that is of no interest. */
    val senderGone: Waitable?

    /** How many messages were lost. Any thread may ask. */
    val lostCount: Long

    /** Hands messages that are there to [handler]; returns how many. */
    fun poll(handler: MessageHandler, limit: Int): Int
}
