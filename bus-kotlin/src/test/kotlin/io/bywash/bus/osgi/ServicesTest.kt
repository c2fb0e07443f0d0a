package io.bywash.bus.osgi

import io.bywash.bus.BusClosedException
import io.bywash.bus.DirectCodec
import io.bywash.bus.MessageWriter
import io.bywash.bus.TempBus
import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.eventually
import io.bywash.bus.recordCodec
import io.bywash.bus.test
import io.bywash.engine.Entry
import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.Segment
import io.bywash.engine.SegmentClosedException
import io.bywash.engine.SegmentSpec
import io.bywash.engine.SpecMismatchException
import io.bywash.engine.StructureStatus
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.BroadcastStatus
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.engine.call.CallClient
import io.bywash.engine.call.CallFailedException
import io.bywash.engine.call.Caller
import io.bywash.engine.call.EndpointStatus
import io.bywash.engine.call.Responder
import io.bywash.engine.queue.Consumer
import io.bywash.engine.queue.Producer
import io.bywash.engine.queue.QueueStatus
import io.bywash.engine.queue.WorkQueue
import io.bywash.engine.record.Records
import io.bywash.osgi.BroadcastService
import io.bywash.osgi.EndpointService
import io.bywash.osgi.StructureService
import io.bywash.osgi.WorkQueueService
import java.lang.invoke.MethodHandles
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension
import io.bywash.engine.call.Endpoint as EngineEndpoint

@JvmRecord
private data class Tick(val number: Long)

@JvmRecord
private data class Other(val number: Int)

/** Services as the container has them: what was taken from them ends when their attachment is closed. */
class ServicesTest {
    @RegisterExtension
    val temp = TempBus()

    private val records = Records.of(MethodHandles.lookup(), Tick::class.java)

    private open class Service(val attachment: Segment, private val kind: Kind, val name: String) : StructureService {
        override fun segment(): String = attachment.name()

        override fun queue(): String = name

        override fun path(): Path = attachment.path()

        override fun entry(): Entry = attachment.directory().find(name, kind)

        override fun status(): StructureStatus = StructureStatus.of(entry()).get()
    }

    private class Topics(segment: Segment) : Service(segment, Kind.BROADCAST, "ticks"), BroadcastService {
        override fun status(): BroadcastStatus = BroadcastStatus.of(entry())

        override fun subscribe(options: SubscriberOptions): Subscriber = Subscriber.open(entry(), options)

        override fun publish(): Publisher = Publisher.open(entry())
    }

    private class Jobs(segment: Segment) : Service(segment, Kind.WORK_QUEUE, "jobs"), WorkQueueService {
        override fun status(): QueueStatus = QueueStatus.of(entry())

        override fun producer(): Producer = Producer.open(entry())

        override fun consumer(): Consumer = Consumer.open(entry())
    }

    private class Calls(segment: Segment) : Service(segment, Kind.ENDPOINT, "double"), EndpointService {
        override fun status(): EndpointStatus = EndpointStatus.of(entry())

        override fun caller(): Caller = Caller.open(entry())

        override fun client(): CallClient = CallClient.open(entry())

        override fun responder(): Responder = Responder.open(entry())
    }

    private fun segment(): Segment = Segment.create(
        temp.directory.resolve("services"),
        SegmentSpec.of(
            records.declare(Broadcast.spec("ticks", 4096)),
            WorkQueue.spec("jobs", 16, 64),
            records.declare(EngineEndpoint.of("double", 64, 64).spec()),
        ),
    )

    @Test
    fun `a receiver and a flow get records and end with the service`() = test {
        segment().use { owner ->
            val service = Topics(Segment.attach(owner.path(), 0))
            val receiver = service.receiver<Tick>()
            val collected = ConcurrentLinkedQueue<Long>()
            val collecting = launch { service.flow<Tick>().collect { collected += it.number } }
            while (service.status().subscribers().size < 2) yield()
            val sender = service.sender(recordCodec<Tick>())
            repeat(3) { sender.send(Tick(it.toLong())) }
            assertEquals(listOf(0L, 1L, 2L), List(3) { receiver.receive().number })
            eventually { collected.size == 3 }
            val waiting = async { runCatching { receiver.receive() } }
            yield()
            service.attachment.close()
            assertEquals(BusClosedException::class, waiting.await().exceptionOrNull()!!::class)
            for (tick in receiver) error("$tick came after the end")
            assertThrows(BusClosedException::class.java) { receiver.tryReceive().getOrThrow() }
            collecting.join()
            assertEquals(listOf(0L, 1L, 2L), collected.toList())
        }
    }

    @Test
    fun `a handler that meets the end of another role ends no receiver`() = test {
        segment().use { owner ->
            val service = Topics(Segment.attach(owner.path(), 0))
            val receiver = service.receiver<Tick>()
            val other = service.subscribe(SubscriberOptions.block()).also { it.close() }
            val sender = service.sender(recordCodec<Tick>())
            sender.send(Tick(1))
            val thrown = runCatching { receiver.poll(1) { other.poll({ }, 1) } }.exceptionOrNull()
            assertEquals(SegmentClosedException::class, thrown!!::class)
            sender.send(Tick(2))
            assertEquals(Tick(2), receiver.receive())
            service.attachment.close()
            assertTrue(receiver.tryReceive().isClosed)
        }
    }

    @Test
    fun `who hears of a loss and meets the end of another role ends no receiver`() = test {
        segment().use { owner ->
            val service = Topics(Segment.attach(owner.path(), 0))
            val other = service.subscribe(SubscriberOptions.block()).also { it.close() }
            val receiver = service.receiver<Tick>(ReceiverOptions.skip(), onLost = { other.poll({ }, 1) })
            val sender = service.sender(recordCodec<Tick>())
            repeat(1000) { sender.send(Tick(it.toLong())) } // which the ring cannot hold
            val thrown = runCatching { receiver.tryReceive() }.exceptionOrNull()
            assertEquals(SegmentClosedException::class, thrown!!::class)
            assertTrue(receiver.receive().number > 0)
            service.attachment.close()
            assertTrue(receiver.tryReceive().isClosed)
        }
    }

    /** Of a negative number it meets the end of another role. */
    private class MeetingAnEnd(private val other: Subscriber) : DirectCodec<Long> {
        override fun length(value: Long): Int = Long.SIZE_BYTES

        override fun write(value: Long, writer: MessageWriter) {
            if (value < 0) other.poll({ }, 1)
            writer.putLong(0, value)
        }

        override fun read(message: Message): Long = message.getLong(0)
    }

    @Test
    fun `a codec that meets the end of another role while it writes ends no sender and no caller`() = test {
        segment().use { owner ->
            val codec = MeetingAnEnd(Topics(owner).subscribe(SubscriberOptions.block()).also { it.close() })
            val attachment = Segment.attach(owner.path(), 0)
            val sender = Topics(attachment).sender(codec)
            val caller = Calls(attachment).caller(codec, codec)
            val responder = Calls(owner).responder()
            val ended = listOf(runCatching { sender.send(-1) }, runCatching { caller.call(-1) })
            assertEquals(List(2) { SegmentClosedException::class }, ended.map { it.exceptionOrNull()!!::class })
            assertTrue(sender.trySend(1).isSuccess)
            val calling = async { caller.call(2) }
            eventually { responder.receive()?.let { it.reply(it.toBytes()) } == true }
            assertEquals(2, calling.await())
            attachment.close()
            assertTrue(sender.trySend(1).isClosed)
        }
    }

    @Test
    fun `what is busy while the service ends completes like what waits`() = test {
        segment().use { owner ->
            val service = Topics(Segment.attach(owner.path(), 0))
            val sender = service.sender(recordCodec<Tick>())
            val looking = List(3) { service.receiver<Tick>() }
            val busy = Channel<Unit>(Channel.UNLIMITED)
            val gate = CompletableDeferred<Unit>()
            suspend fun work() {
                busy.send(Unit)
                gate.await()
            }
            val completing = async {
                service.flow<Tick>().collect { work() }
                "completed"
            }
            val looping = async {
                for (tick in looking[0]) work()
                "completed"
            }
            eventually { service.status().subscribers().size == 4 }
            sender.send(Tick(1))
            repeat(2) { busy.receive() }
            service.attachment.close()
            gate.complete(Unit)
            assertEquals(listOf("completed", "completed"), listOf(completing.await(), looping.await()))
            assertTrue(looking[1].tryReceive().isClosed)
            assertTrue(looking[2].receiveResult().isClosed)
            assertTrue(sender.trySend(Tick(2)).isClosed)
        }
    }

    @Test
    fun `a service that carries other records is refused`() {
        segment().use { owner ->
            Segment.attach(owner.path(), 0).use {
                assertThrows(SpecMismatchException::class.java) { Topics(it).receiver<Other>() }
                val (tick, other) = recordCodec<Tick>() to recordCodec<Other>()
                assertThrows(SpecMismatchException::class.java) { Calls(it).caller(tick, other) }
                assertThrows(SpecMismatchException::class.java) {
                    runBlocking { Calls(it).serve(other, tick) { request -> Tick(request.number.toLong()) } }
                }
                assertEquals(0, Calls(it).status().roles().size)
            }
        }
    }

    @Test
    fun `consume acknowledges each message and returns when the service ends`() = test {
        segment().use { owner ->
            val service = Jobs(Segment.attach(owner.path(), 0))
            val got = Channel<Long>(Channel.UNLIMITED)
            val consuming = launch { service.consume<Tick> { got.send(it.number) } }
            Jobs(owner).sender(recordCodec<Tick>()).use { sender -> repeat(20) { sender.send(Tick(it.toLong())) } }
            assertEquals((0L..19).toList(), List(20) { got.receive() })
            service.attachment.close()
            consuming.join()
            assertEquals(0, Jobs(owner).status().run { heldCount() + readyCount() + leftCount() })
        }
    }

    @Test
    fun `a call is answered by what serves, which returns when the service ends`() = test {
        segment().use { owner ->
            val service = Calls(Segment.attach(owner.path(), 0))
            val serving = launch {
                service.serve(recordCodec<Tick>(), recordCodec<Tick>(), workers = 2) { Tick(2 * it.number) }
            }
            eventually { Calls(owner).status().roles().size == 2 }
            assertEquals(Tick(42), Calls(owner).call<Tick, Tick>(Tick(21)))
            service.attachment.close()
            serving.join()
        }
    }

    @Test
    fun `serving returns when the service ends while a request is handled`() = test {
        segment().use { owner ->
            val service = Calls(Segment.attach(owner.path(), 0))
            val busy = CompletableDeferred<Unit>()
            val gate = CompletableDeferred<Unit>()
            val serving = async {
                service.serve(recordCodec<Tick>(), recordCodec<Tick>()) {
                    busy.complete(Unit)
                    withContext(NonCancellable) { gate.await() }
                    it
                }
                "returned"
            }
            val calling = async { runCatching { Calls(owner).call<Tick, Tick>(Tick(21)) } }
            busy.await()
            service.attachment.close()
            gate.complete(Unit)
            assertEquals("returned", serving.await())
            assertTrue(calling.await().exceptionOrNull() is CallFailedException)
        }
    }
}
