package io.bywash.samples.bench

/** Everybody who takes part. */
val CONTENDERS: List<Contender> = listOf(
    BywashContender(BywashContender.Writing.CLAIM),
    BywashContender(BywashContender.Writing.OFFER),
    BywashContender(BywashContender.Writing.CLAIM, isGating = false, name = "bywash.skip"),
    BywashContender(BywashContender.Writing.CLAIM, jvmFlags = listOf("--illegal-native-access=deny"), name = "bywash.portable"),
    AeronContender(inPlace = true),
    AeronContender(inPlace = false),
    AgronaRing(inPlace = true),
    AgronaRing(inPlace = false),
    AgronaBroadcast(),
    ChronicleContender(),
    DisruptorContender(),
    ChannelContender(),
    RawCopy(),
    RawWord(),
    RawFutex(),
)

fun contender(name: String): Contender =
    CONTENDERS.firstOrNull { it.name == name } ?: throw IllegalArgumentException("there is no contender '$name'")
