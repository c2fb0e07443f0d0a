package io.bywash.bus

import java.nio.file.Path
import kotlinx.coroutines.async
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
        val there = Queue("there", NumberCodec(400))
        val back = Queue("back", NumberCodec())
        val topology = bus("processes") {
            broadcast(there) { ring = 4.KiB }
            broadcast(back) { ring = 4.KiB }
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
                    if (number % 10 == 0L) eventually { receiver.turn.isAwaited }
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
                while (sender.trySend(count)) count++
                val sending = launch { sender.send(count) }
                eventually { sender.turn.isAwaited }
                assertTrue(sending.isActive)
                child.kill()
                sending.join()
                assertEquals(0, sender.subscriberCount)
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
                    if (number % 100 == 50L) eventually { sender.turn.isAwaited }
                    check(receiver.receive() == number)
                }
                sending.join()
                val receiving = async { receiver.receive() }
                eventually { receiver.turn.isAwaited }
                sender.send(300)
                check(receiving.await() == 300L)
                val cancelled = launch { receiver.receive() }
                eventually { receiver.turn.isAwaited }
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
