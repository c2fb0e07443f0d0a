package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.engine.Kind
import io.bywash.engine.broadcast.BroadcastStatus
import java.nio.file.Path
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** With real other processes. */
@Timeout(180)
class ProcessTest {
    @RegisterExtension
    val temp = TempBus()

    companion object {
        val there = Topic("there", NumberCodec(400))
        val back = Topic("back", NumberCodec())
        val topology = bus("processes") {
            topic(there) { ring = 4.KiB }
            topic(back) { ring = 4.KiB }
        }
    }

    /** Adds one to whatever comes, until a negative number comes. */
    object Echo : ChildProgram {
        override suspend fun run(arguments: List<String>) {
            topology.attach(PATIENCE, Path.of(arguments[0])).use { bus ->
                val receiver = bus.receiver(there)
                val sender = bus.sender(back)
                println("joined")
                while (true) {
                    val number = receiver.receive()
                    if (number < 0) break
                    sender.send(number + 1)
                }
            }
            println("left")
        }
    }

    private fun echo(native: Boolean) = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(there)
            val receiver = bus.receiver(back)
            ChildJvm(Echo, temp.directory, native = native).use { child ->
                child.await("joined")
                for (number in 0L until 200) { // this process waits for every answer, that one for every question
                    val answer = async { receiver.receive() }
                    if (number % 10 == 0L) eventually { receiver.guard.isAwaited }
                    sender.send(number)
                    assertEquals(number + 1, answer.await())
                }
                sender.send(-1)
                child.await("left")
            }
        }
    }

    @Test
    fun waitingReceiversAreResumedAcrossProcesses() = echo(native = true)

    @Test
    fun waitingReceiversAreResumedByAProcessWithoutNativeAccess() = echo(native = false)

    /** Joins and never receives. */
    object Stuck : ChildProgram {
        override suspend fun run(arguments: List<String>) {
            val receiver = topology.attach(PATIENCE, Path.of(arguments[0])).receiver(there)
            println("joined")
            readln() // is killed meanwhile
            receiver.close()
        }
    }

    @Test
    fun aSenderThatWaitsForAReceiverInAKilledProcessGoesOn() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(there)
            ChildJvm(Stuck, temp.directory).use { child ->
                child.await("joined")
                var count = 0L
                while (sender.trySend(count).isSuccess) count++
                val sending = launch { sender.send(count) }
                eventually { sender.guard.isAwaited }
                assertTrue(sending.isActive)
                child.kill()
                sending.join()
                assertEquals(0, sender.receiverCount)
            }
        }
    }

    private fun Bus.receiverCount(topic: Topic<*>) =
        BroadcastStatus.of(segment.directory().find(topic.name, Kind.BROADCAST)).subscribers().size

    /** Sends until it is killed. */
    object Streaming : ChildProgram {
        override suspend fun run(arguments: List<String>) {
            topology.attach(PATIENCE, Path.of(arguments[0])).use { bus ->
                val sender = bus.sender(there)
                println("sending")
                var number = 0L
                while (true) sender.send(number++)
            }
        }
    }

    @Test
    fun aReceiverLearnsThatItsSenderWasKilledAfterItsLastMessage() = test {
        topology.open(temp.directory).use { bus ->
            ChildJvm(Streaming, temp.directory).use { child ->
                val loop = bus.receiver(there, Until.SenderGone)
                val got = async { buildList { for (number in loop) add(number) } }
                val flow = async { bus.flow(there, Until.SenderGone).toList() }
                eventually { bus.receiverCount(there) == 2 }
                child.await("sending")
                val both = loop.nextSequence + 1000 // of which the flow gets most
                eventually { loop.nextSequence > both }
                child.kill()
                val all = got.await()
                assertEquals((0L until all.size).toList(), all)
                assertEquals(all.last(), flow.await().last())
            }
        }
    }

    @Test
    fun aRouteGoesOnWithTheNextSenderWhenItsSenderIsKilled() = test {
        val routed = bus("processes") {
            topic(there) { ring = 4.KiB }
            topic(back) { ring = 4.KiB }
            route(there, back) { flow -> flow.filter { it % 2 == 0L } }
        }
        routed.use(temp.directory) { bus ->
            launch { bus.runRoutes() }
            eventually { bus.receiverCount(there) == 1 } // or the first messages are nobody's
            val results = bus.receiver(back)
            var last = -1L
            repeat(2) {
                ChildJvm(Streaming, temp.directory).use { child ->
                    child.await("sending")
                    repeat(500) {
                        val number = results.receive()
                        assertTrue(number == 0L || number == last + 2, "$number after $last")
                        last = number
                    }
                    child.kill()
                }
            }
        }
    }

    /** Sends and receives within one process that has no native access. */
    object Portable : ChildProgram {
        override suspend fun run(arguments: List<String>) = kotlinx.coroutines.coroutineScope {
            topology.open(Path.of(arguments[0])).use { bus ->
                val receiver = bus.receiver(there)
                val sender = bus.sender(there)
                val sending = launch { (0L until 300).forEach { sender.send(it) } }
                for (number in 0L until 300) {
                    if (number % 100 == 50L) eventually { sender.guard.isAwaited }
                    check(receiver.receive() == number)
                }
                sending.join()
                val receiving = async { receiver.receive() }
                eventually { receiver.guard.isAwaited }
                sender.send(300)
                check(receiving.await() == 300L)
                val cancelled = launch { receiver.receive() }
                eventually { receiver.guard.isAwaited }
                cancelled.cancel()
                cancelled.join()
            }
            println("done")
        }
    }

    @Test
    fun everythingWorksWithoutNativeAccess() = test {
        ChildJvm(Portable, temp.directory, native = false).use { it.await("done") }
    }
}
