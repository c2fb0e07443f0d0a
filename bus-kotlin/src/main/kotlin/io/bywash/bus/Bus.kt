package io.bywash.bus

import io.bywash.engine.Segment
import java.lang.System.Logger.Level.WARNING
import java.lang.ref.Cleaner
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch

/**
 * An attachment of this process to a bus. Senders and receivers are taken from it. Any thread may use it. It must be
 * closed; [BusTopology.use] does that. A bus that becomes unreachable together with all its senders and receivers is
 * closed, with a warning in the log.
 *
 * No queue and no coroutine needs a thread of its own. One daemon thread of the engine waits for all queues of the
 * process, and lets the coroutines' own dispatchers resume them. A coroutine without a dispatcher, or in
 * [kotlinx.coroutines.Dispatchers.Unconfined], is resumed in [kotlinx.coroutines.Dispatchers.Default].
 *
 * @property segment the same attachment in the engine's API, for what has no Kotlin form, such as the list of
 * participants
 */
public class Bus internal constructor(
    public val segment: Segment,
    private val routes: List<Route<*, *>>,
) : AutoCloseable {
    private val roles = OpenRoles(segment)

    init {
        val roles = roles
        Alarm.register(this, "bus ${segment.path()}") { roles.close() }
    }

    /** The name of the segment. */
    public val name: String
        get() = segment.name()

    /**
     * Takes a role that sends in a queue.
     *
     * @throws io.bywash.engine.RoleTakenException when the queue has one sender at a time, and a living process has
     * that role; the exception has its pid
     * @throws io.bywash.engine.EntryNotFoundException when the segment has no such queue; the message lists those that
     * it has
     * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind
     * @throws BusClosedException when this bus is closed
     */
    public fun <T : Any> sender(queue: Queue<T>): Sender<T> = sender(queue) { queue.takeSender(segment) }

    internal fun <T : Any> sender(queue: Queue<T>, take: () -> SendingRole): Sender<T> =
        open("sender of queue \"${queue.name}\"", take) { role, guard -> Sender(queue, role, guard, this) }

    /**
     * Joins a queue as a receiver. In a topic it gets every message sent from now on, and if it is too slow, the sender
     * waits for it; in a ring it gets every element that nobody has popped. Each kind of queue has a function with more
     * options. A work queue has [io.bywash.bus.queue.Consumer]s instead.
     *
     * @param until when the receiver ends; for a ring, [Until.Closed]
     * @throws io.bywash.engine.RoleTakenException when the queue has one receiver at a time, and a living process has
     * that role
     * @throws io.bywash.engine.TableFullException when living receivers have taken all places
     * @throws io.bywash.engine.EntryNotFoundException when the segment has no such queue; the message lists those that
     * it has
     * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind
     * @throws BusClosedException when this bus is closed
     */
    public fun <T : Any> receiver(queue: ReceivedQueue<T>, until: Until = Until.Closed): Receiver<T> =
        receiver(queue, {}) { queue.takeReceiver(segment, until) }

    internal fun <T : Any> receiver(
        queue: ReceivedQueue<T>,
        onLost: (Long) -> Unit,
        take: () -> ReceivingRole,
    ): Receiver<T> =
        open("receiver of queue \"${queue.name}\"", take) { role, guard -> Receiver(queue, role, guard, onLost, this) }

    /** Takes a role and makes what its user gets; whoever drops that without closing it causes an alarm. */
    internal fun <R : EngineRole, V : AutoCloseable> open(
        name: String,
        take: () -> R,
        make: (R, UsageGuard) -> V,
    ): V = roles.open(name, take) { role, guard ->
        make(role, guard).also { Alarm.register(it, "$name in $this") { guard.close() } }
    }

    /**
     * The messages of a queue as a cold flow. Each collector joins the queue with a [receiver] of its own when it
     * begins to collect, and leaves the queue when it completes, fails or is cancelled. The flow completes when the bus
     * is closed, also before it is collected, or, with [Until.SenderGone], when the sender has gone. Collecting throws
     * what else [receiver] and [Receiver.receive] throw. Each kind of queue has a function with more options.
     */
    public fun <T : Any> flow(queue: ReceivedQueue<T>, until: Until = Until.Closed): Flow<T> =
        flowOf { receiver(queue, until) }

    /**
     * Runs the routes that the topology declares, each in a coroutine of its own, until all have ended. If one fails,
     * the others are cancelled, and this throws that failure. It returns at once if there are no routes.
     */
    public suspend fun runRoutes(): Unit = coroutineScope {
        val senders = mutableListOf<Sender<*>>()
        try {
            routes.mapTo(senders) { sender(it.to) }
            coroutineScope { routes.zip(senders) { route, sender -> launch { route.run(this@Bus, sender) } } }
        } finally {
            senders.forEach { it.close() }
        }
    }

    /**
     * Closes this attachment and all its senders and receivers: their loops and flows end, and operations that wait
     * throw a [BusClosedException]. If nobody else is attached, the lifetime is not `KEPT`, and no work queue holds a
     * message, the segment is removed as soon as the last operation that is under way has ended. Calling this again
     * does nothing.
     *
     * @throws io.bywash.engine.DamagedSegmentException when the file was truncated while it was in use; everything is
     * closed all the same
     */
    override fun close() {
        roles.close()
    }

    /** For example `Bus(/dev/shm/bywash-1000/market)`. */
    override fun toString(): String = "Bus(${segment.path()})"
}

/** A flow whose collectors each join with a receiver of their own. */
internal fun <T : Any> flowOf(join: () -> Receiver<T>): Flow<T> = flow {
    val receiver = joined(join) ?: return@flow
    try {
        for (value in receiver) {
            emit(value)
        }
    } finally {
        receiver.guard.close(byUser = true)
    }
}

/** The role that a flow takes when it begins; null when the bus is closed, so that the flow ends. */
internal suspend fun <R : Any> joined(take: () -> R): R? {
    currentCoroutineContext().ensureActive() // a collector that tries again and again does nothing else that suspends
    return try {
        take()
    } catch (_: BusClosedException) {
        null
    }
}

/** The attachment and the roles of a bus that are open: what outlives a bus that was dropped. */
internal class OpenRoles(private val segment: Segment) {
    private val guards = mutableSetOf<UsageGuard>()
    private var isClosed = false

    /** Takes a role and makes what its user gets. */
    inline fun <R : EngineRole, V> open(name: String, take: () -> R, make: (R, UsageGuard) -> V): V {
        val role: R
        val guard: UsageGuard
        synchronized(guards) {
            if (isClosed) throw BusClosedException("The bus ${segment.path()} is closed in this process.")
            role = take()
            guard = UsageGuard(role, name, { segment.participants() }) { closed ->
                synchronized(guards) { guards -= closed }
            }
            guards += guard
        }
        return make(role, guard)
    }

    /** False when it was closed before. */
    fun close(): Boolean {
        var failure: Throwable? = null
        fun attempt(close: () -> Unit) {
            try {
                close()
            } catch (thrown: Throwable) {
                failure?.addSuppressed(thrown) ?: run { failure = thrown }
            }
        }
        val all = synchronized(guards) {
            if (isClosed) return false
            isClosed = true
            guards.forEach { it.beginClose() }
            attempt { segment.close() } // with all roles, and from now on none can be taken
            guards.toList()
        }
        all.forEach { it.endClose() }
        failure?.let { throw it }
        return true
    }
}

/** Closes what was dropped without being closed, and says so. */
internal object Alarm {
    private val cleaner = Cleaner.create()
    private val log = System.getLogger("io.bywash.bus")

    /** @param close must not refer to [user]; false when it was closed before */
    fun register(user: AutoCloseable, name: String, close: () -> Boolean) {
        cleaner.register(user) {
            try {
                if (close()) {
                    log.log(WARNING, "The $name was dropped without being closed, and is closed now.")
                }
            } catch (failure: Throwable) {
                log.log(WARNING, "The $name was dropped, and could not be closed.", failure)
            }
        }
    }
}
