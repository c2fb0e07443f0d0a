package io.bywash.bus

import io.bywash.engine.InvalidSpecException

/**
 * An amount of memory, written `512.bytes`, `64.KiB`, `4.MiB` or `1.GiB`. Any number of bytes is a size; where a size
 * is used, its range is checked.
 *
 * @property bytes the number of bytes
 */
@JvmInline
public value class Size(public val bytes: Long) : Comparable<Size> {
    /** Orders by bytes. */
    override fun compareTo(other: Size): Int = bytes.compareTo(other.bytes)

    /** The number of bytes; one that is no `int` is refused as the engine refuses what is out of range. */
    internal fun toInt(argument: String): Int =
        if (bytes in Int.MIN_VALUE..Int.MAX_VALUE) bytes.toInt()
        else throw InvalidSpecException(argument, bytes, "is not between 1 and ${1 shl 30}")

    /** In the largest unit that gives a whole number, for example `4 MiB`. */
    override fun toString(): String {
        val unit = UNITS.indices.lastOrNull { bytes % (1L shl 10 * it) == 0L && bytes != 0L } ?: 0
        return "${bytes shr 10 * unit} ${UNITS[unit]}"
    }

    private companion object {
        val UNITS = listOf("bytes", "KiB", "MiB", "GiB")
    }
}

/** This number of bytes. */
public val Int.bytes: Size get() = Size(toLong())

/** This number of bytes. */
public val Long.bytes: Size get() = Size(this)

/** This number of KiB, 1024 bytes each. */
public val Int.KiB: Size get() = Size(toLong() shl 10)

/** This number of MiB, 1024 KiB each. */
public val Int.MiB: Size get() = Size(toLong() shl 20)

/** This number of GiB, 1024 MiB each. */
public val Int.GiB: Size get() = Size(toLong() shl 30)
