package io.bywash.bus.pool

import io.bywash.bus.Bus
import io.bywash.bus.BusBuilder
import io.bywash.bus.BusClosedException
import io.bywash.bus.BusDsl
import io.bywash.bus.Codec
import io.bywash.bus.Declaration
import io.bywash.bus.EngineRole
import io.bywash.bus.Faults
import io.bywash.bus.Picture
import io.bywash.bus.Size
import io.bywash.bus.TypedEntry
import io.bywash.bus.UsageGuard
import io.bywash.bus.recordCodec
import io.bywash.engine.EntrySpec
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.pool.PoolView
import io.bywash.engine.pool.Pool as EnginePool
import io.bywash.engine.pool.PoolUser as EngineUser

/**
 * The typed name of a pool: records of one class, each of which belongs to one user at a time, over all processes.
 *
 * @param name of the entry in the segment; unique there
 * @param codec of one record class, made by [recordCodec]
 */
public class Pool<T : Any>(name: String, codec: Codec<T>) : TypedEntry<T>(name, codec) {
    internal val elements = requireNotNull(records) { "codec=$codec is not one of records" }

    /** For example `Pool("players", Codec of Records[...])`. */
    override fun toString(): String = "Pool(\"$name\", $codec)"
}

/** The typed name of a pool of records of one class. */
public inline fun <reified T : Record> Pool(name: String): Pool<T> = Pool(name, recordCodec<T>())

/** Declares a pool of records of one class, and returns its typed name. */
public inline fun <reified T : Record> BusBuilder.pool(
    name: String,
    noinline declare: PoolBuilder.() -> Unit = {},
): Pool<T> = Pool<T>(name).also { pool(it, declare) }

/** Declares a pool whose typed name was made elsewhere. */
public fun BusBuilder.pool(pool: Pool<*>, declare: PoolBuilder.() -> Unit = {}) {
    declare(PoolDeclaration(pool, PoolBuilder().apply(declare)))
}

/** The block of [pool]: settings of one pool. Used by one thread. */
@BusDsl
public class PoolBuilder internal constructor() {
    /** How many objects there are; 1024 by default. */
    public var capacity: Int = 1024

    /** The largest number of users at one time, in all processes, 1 to 1024; 64 by default. */
    public var users: Int = EnginePool.DEFAULT_USERS
}

private class PoolDeclaration(private val pool: Pool<*>, private val settings: PoolBuilder) : Declaration(pool) {
    override val kind: String get() = "pool"

    override fun spec(faults: Faults): EntrySpec? = spec(
        faults,
        { EnginePool.spec(pool.name, 1, 1) },
        { EnginePool.spec("any", settings.capacity, pool.elements) },
        { EnginePool.spec("any", 1, 1, settings.users) },
    ) { EnginePool.spec(pool.name, settings.capacity, pool.elements, settings.users) }

    override fun picture(spec: EntrySpec): Picture {
        val users = "${spec.roleCount} users"
        return Picture(pool.name, users, "${spec.capacity} objects of ${Size(spec.elementSizeBytes)}", users)
    }
}

/**
 * Takes a user's role in a pool.
 *
 * @throws io.bywash.engine.TableFullException when living users have taken all places
 * @throws io.bywash.engine.EntryNotFoundException when the segment has no such entry
 * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind
 * @throws io.bywash.bus.BusClosedException when this bus is closed
 */
public fun <T : Any> Bus.user(pool: Pool<T>): PoolUser<T> =
    open("user of pool \"${pool.name}\"", { UserRole.open(pool, segment) }) { role, guard ->
        PoolUser(pool, role, guard, this)
    }

/** Begins to look at the objects of all users: the engine's object, for one coroutine at a time; ends with the bus. */
public fun Bus.open(pool: Pool<*>): PoolView = PoolView.open(pool.find(segment, Kind.POOL))

internal class UserRole private constructor(val user: EngineUser) : EngineRole {
    override val waitable: EngineUser get() = user
    override val revocable: EngineUser get() = user
    override val nextSequence: Long get() = -1

    override fun label(text: String) = user.label(text)

    companion object {
        fun open(pool: Pool<*>, segment: Segment) = UserRole(EngineUser.open(pool.find(segment, Kind.POOL)))
    }
}

/**
 * A user of a pool. [Bus.user] takes one. When it is closed, or its process dies, its objects are released. It and its
 * objects are used by one coroutine at a time; afterwards they throw [io.bywash.bus.BusClosedException].
 *
 * @sample io.bywash.bus.samples.borrowAPlayer
 */
public class PoolUser<T : Any> internal constructor(
    private val pool: Pool<T>,
    private val role: UserRole,
    private val guard: UsageGuard,
    /** A bus is in use as long as its users are. */
    private val bus: Bus,
) : AutoCloseable {
    /** A number that names this user among all that the pool has, for [Pooled.transfer]. It may be sent to others. */
    public val id: Int get() = role.user.id()

    /** An object with this value; null when all objects are in use. `use { }` releases it at its end. */
    public fun acquire(value: T): Pooled<T>? {
        val handle = guard.use { role.user.acquire(pool.elements, value) }
        return if (handle == 0L) null else Pooled(pool, role.user, guard, handle)
    }

    /**
     * An object that another user has handed to this one, by the handle that came with it.
     *
     * @throws io.bywash.engine.pool.InvalidHandleException when it is not this user's
     */
    public fun adopt(handle: Long): Pooled<T> = Pooled(pool, role.user, guard, handle).also { it.get() }

    /** As the labels of senders, see [io.bywash.bus.Sender.label]. */
    public fun label(text: String) {
        guard.aside { role.label(text) }
    }

    /** Gives the role back, and releases all its objects. Any thread may call this; again, it does nothing. */
    override fun close() {
        guard.close()
    }

    /** For example `PoolUser("players")`. */
    override fun toString(): String = "PoolUser(\"${pool.name}\")"
}

/**
 * An object of a pool, which belongs to one user.
 *
 * @property handle names this use of the object, for other processes
 */
public class Pooled<T : Any> internal constructor(
    private val pool: Pool<T>,
    private val user: EngineUser,
    private val guard: UsageGuard,
    public val handle: Long,
) : AutoCloseable {
    private var isOver = false

    /** Its value. */
    public fun get(): T = guard.use { checkNotNull(user.get(handle, pool.elements)) { "nothing was written into it" } }

    /** Replaces the value; others see the one before or this one, whole. */
    public fun set(value: T) {
        guard.use { user.set(handle, pool.elements, value) }
    }

    /**
     * Hands the object to another user of the pool, who [adopts][PoolUser.adopt] it. It is up to the caller to send
     * the [handle]. Returns false, and changes nothing, when that user is gone.
     *
     * @param userId that user's [PoolUser.id]
     */
    public fun transfer(userId: Int): Boolean =
        guard.use { user.transfer(handle, userId) }.also { isOver = isOver || it }

    /** Releases the object, unless it was handed over or its user is closed; calling this again does nothing. */
    override fun close() {
        if (!isOver && !guard.isClosed) {
            isOver = true
            try {
                guard.use { user.release(handle) }
            } catch (_: BusClosedException) {
                // just now, and its objects are released
            }
        }
    }
}
