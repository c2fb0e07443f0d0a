package io.bywash.samples.particles

/**
 * What was seen of a simulation: its own counts, those of the renderer, and what is true of the last frame, when
 * everything stands still.
 */
data class Outcome(
    val max: Long = 0,
    val frames: Long = 0,
    val spawned: Long = 0,
    val exhausted: Long = 0,
    val released: Long = 0,
    val refused: Long = 0,
    val unequal: Long = 0,
    val framesSeen: Long = 0,
    val particlesSeen: Long = 0,
    val gone: Long = 0,
    val wrong: Long = 0,
    val active: Long = 0,
    val allocated: Long = 0,
    val living: Long = 0,
    val isOlderRefused: Boolean = false,
) {
    /** More particles than places, so places were used again. */
    private val areSlotsReused get() = spawned > max

    val isOk: Boolean
        get() = frames > 0 && areSlotsReused && released > 0 && refused == released && unequal == 0L &&
            framesSeen > 0 && particlesSeen > 0 && wrong == 0L && active > 0 && allocated == active &&
            living == active && spawned - released == active && isOlderRefused

    fun toText(): String = String.format(
        "%,d frames, %,d of them drawn; %,d particles came, %,d ended, whose handles were refused %,d times; room for" +
            " %,d was too little %,d times%n%,d copies were drawn, %,d of them wrong, %,d had ended before%n" +
            "at the end %,d active, %,d allocated, %,d seen; before, the first two differed %,d times%n%s",
        frames, framesSeen, spawned, released, refused, max, exhausted, particlesSeen, wrong, gone, active, allocated,
        living, unequal, if (isOk) "each particle fell as it had to, and its slot was used again" else "NOT OK",
    )

    fun toJson(): String = listOf(
        "ok" to isOk, "max" to max, "frames" to frames, "spawned" to spawned, "exhausted" to exhausted,
        "released" to released, "refused" to refused, "unequal" to unequal, "framesSeen" to framesSeen,
        "particlesSeen" to particlesSeen, "gone" to gone, "wrong" to wrong, "active" to active,
        "allocated" to allocated, "living" to living, "olderRefused" to isOlderRefused,
    ).joinToString(", ", "{", "}") { (name, value) -> "\"$name\": $value" }
}
