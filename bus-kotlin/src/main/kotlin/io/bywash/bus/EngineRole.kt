package io.bywash.bus

import io.bywash.engine.Claim
import io.bywash.engine.MessageHandler
import io.bywash.engine.Revocable
import io.bywash.engine.wait.Waitable

/** A role of the engine behind a [Sender], a [Receiver] or the like, whatever its kind. Used as the engine's are. */
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

    /** Sends what was claimed; false, with the claim still open, when somebody else has used the room. */
    fun trySend(claim: Claim, staged: Boolean): Boolean

    /** Sends the first values of a list, as many as there is room for; null when this role sends messages only. */
    fun sendBulk(values: List<Any>): Int? = null

    /** Makes visible what was staged. */
    fun publish() = Unit

    /** How many receivers that live have joined; null when messages wait for those who come later. */
    fun receiverCount(): Int? = null

    /** Holds when at least so many receivers that live have joined. */
    fun receiversPresent(count: Int): Waitable? = null
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

/** What a [Receiver] passes to its role: it also takes values from a role that makes them by itself. */
internal abstract class ValueHandler : MessageHandler {
    /** A value instead of a message. */
    abstract fun onValue(value: Any)
}
