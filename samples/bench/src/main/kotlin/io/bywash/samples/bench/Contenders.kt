package io.bywash.samples.bench

import io.bywash.samples.bench.BywashContender.Writing

/** Everybody who takes part. */
val CONTENDERS: List<Contender> = listOf(
    BywashContender(Writing.CLAIM),
    BywashContender(Writing.BATCH16),
    BywashContender(Writing.OFFER),
    RecordContender(),
    BywashContender(Writing.CLAIM, isGating = false, name = "bywash.skip"),
    BywashContender(Writing.CLAIM, jvmFlags = listOf("--illegal-native-access=deny"), name = "bywash.portable"),
    AeronContender(inPlace = true),
    AeronContender(inPlace = false),
    AgronaRing(inPlace = true),
    AgronaRing(inPlace = false),
    AgronaBroadcast(),
    ChronicleContender(),
    DisruptorContender(),
    ChannelContender(),
    TutorialContender(),
    WorkQueueContender(),
    JcToolsContender(),
    UnixSocketContender(),
    CellContender(),
    PoolContender(),
    CallContender(),
    RingContender(RingContender.SINGLE, 1),
    RingContender(RingContender.BULK100, 100),
    RawCopy(),
    RawWord(),
    RawFutex(),
)

fun contender(name: String): Contender =
    (CONTENDERS + KotlinContender.ALL).firstOrNull { it.name == name }
        ?: throw IllegalArgumentException("there is no contender '$name'")
