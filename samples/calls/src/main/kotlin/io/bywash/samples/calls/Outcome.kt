package io.bywash.samples.calls

import io.bywash.engine.call.CallFailedException.Reason

/**
 * Calls in one direction: how many [requests] there should be, how many of them were [received], how many of these were
 * [intact], and to how many the [right] answer came back. Each is counted where it came in.
 */
class Direction(
    var requests: Long = 0, var received: Long = 0, var intact: Long = 0, var right: Long = 0, var bytes: Long = 0,
) {
    val isOk: Boolean get() = requests > 0 && received == requests && intact == requests && right == requests

    /** So many calls were to be made, and fared so. */
    internal fun add(calls: Int, figures: Traffic.Figures) {
        requests += calls
        right += figures.right()
        bytes += figures.bytes()
    }

    override fun toString() = "{\"requests\": $requests, \"received\": $received, \"intact\": $intact, " +
        "\"right\": $right, \"bytes\": $bytes}"
}

/** What was counted. */
class Outcome(private val workers: Int) {
    val toGuest = Direction()
    val toHost = Direction()

    /** How many slow requests were inside the guest's handler at one time. */
    var inside = 0

    /** How many calls failed, by the reason that their caller got. */
    val failures = Reason.entries.associateWith { 0 }.toMutableMap()

    /** How many replies of the guest were too late. */
    var tooLate = 0L

    /** How many right answers came from the guest that was started again. */
    var afterRestart = 0L

    fun failed(reason: Reason) = failures.merge(reason, 1, Int::plus)

    /** Each reason came once, but that all workers of the guest had a request when it was killed. */
    val isOk: Boolean
        get() = toGuest.isOk && toHost.isOk && inside == workers && tooLate > 0 && afterRestart > 0 &&
            failures.all { (reason, count) -> count == if (reason == Reason.RESPONDER_GONE) workers else 1 }

    fun toJson(): String = "{\"ok\": $isOk, \"toGuest\": $toGuest, \"toHost\": $toHost, \"workers\": $workers, " +
        "\"inside\": $inside, \"failures\": {" + failures.entries.joinToString { "\"${it.key}\": ${it.value}" } +
        "}, \"tooLate\": $tooLate, \"afterRestart\": $afterRestart}"
}
