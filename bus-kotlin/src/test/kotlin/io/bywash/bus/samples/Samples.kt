/** The samples of the API's documentation; [SamplesTest] runs them. */
package io.bywash.bus.samples

import io.bywash.bus.BusResult
import io.bywash.bus.Codec
import io.bywash.bus.DirectCodec
import io.bywash.bus.MessageWriter
import io.bywash.bus.MiB
import io.bywash.bus.Until
import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.receiver
import io.bywash.bus.broadcast.topic
import io.bywash.bus.bus
import io.bywash.bus.codec
import io.bywash.bus.map
import io.bywash.bus.onReceive
import io.bywash.engine.Message
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlinx.serialization.BinaryFormat

data class Tick(val instrument: Int, val price: Double)

object TickCodec : DirectCodec<Tick> {
    override fun length(value: Tick) = 16

    override fun write(value: Tick, writer: MessageWriter) {
        writer.putInt(0, value.instrument).putInt(4, 0).putDouble(8, value.price)
    }

    override fun read(message: Message) = Tick(message.getInt(0), message.getDouble(8))
}

val ticks = Topic("ticks", TickCodec)
val alarms = Topic("alarms", Codec.Text)

val market = bus("market") {
    participants = 16
    topic(ticks) { ring = 4.MiB }
    topic(alarms)
}

val filtering = bus("filtering") {
    topic(ticks)
    topic(alarms)
    route(ticks, alarms) { flow -> flow.filter { it.price > 100 }.map { "${it.instrument} costs ${it.price}" } }
}

@JvmInline
value class Price(val cents: Long)

val prices = Topic("prices", Codec.Int64.map(::Price) { it.cents })

/** In a format such as `Cbor` or `ProtoBuf`. */
fun orders(format: BinaryFormat) = Topic("orders", format.codec<Map<String, Int>>())

suspend fun useABus(directory: Path? = null): Tick = market.use(directory) { bus ->
    val receiver = bus.receiver(ticks)
    launch { bus.sender(ticks).send(Tick(1, 99.5)) }
    receiver.receive()
}

suspend fun loopUntilTheSenderHasGone(directory: Path? = null): Int = market.use(directory) { bus ->
    val receiver = bus.receiver(ticks, Until.SenderGone)
    launch {
        bus.sender(ticks).use { sender -> repeat(3) { sender.send(Tick(it, 1.0)) } }
    }
    var count = 0
    for (tick in receiver) count += 1 + tick.instrument * 0
    count
}

@OptIn(ExperimentalCoroutinesApi::class) // onTimeout
suspend fun selectFromTwoTopics(directory: Path? = null): String = market.use(directory) { bus ->
    val tick = bus.receiver(ticks)
    val alarm = bus.receiver(alarms)
    launch { bus.sender(alarms).send("fire") }
    select {
        onReceive(tick) { "tick of ${it.instrument}" }
        onReceive(alarm) { "alarm: $it" }
        onTimeout(30.seconds) { "nothing" }
    }
}

suspend fun skipWhatIsOld(directory: Path? = null): Long = market.use(directory) { bus ->
    val receiver = bus.receiver(ticks, ReceiverOptions.skip(resumingAtNewest = true)) { lost -> println("lost $lost") }
    bus.sender(ticks).send(Tick(1, 2.0))
    receiver.receiveWithin(10.milliseconds)
    receiver.lostCount
}

fun everyOutcomeOfTryReceive(result: BusResult<Tick>): String = when {
    result.isSuccess -> "received ${result.getOrThrow()}"
    result.isLost -> "lost ${result.lostCount}"
    result.isSenderGone -> "the sender has gone"
    result.isClosed -> "closed here"
    else -> "nothing there now"
}
