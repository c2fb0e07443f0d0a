package io.bywash.bus

import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.consumer
import io.bywash.bus.queue.queue
import java.nio.file.Path
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** Work queues with real other processes, which are killed while they are in use. */
@Timeout(180)
class QueueProcessTest {
    @RegisterExtension
    val temp = TempBus()

    companion object {
        val jobs = WorkQueue("jobs", NumberCodec())
        val results = WorkQueue("results", NumberCodec())
        val topology = bus("workers") {
            queue(jobs) { capacity = 64 }
            queue(results) { capacity = 64 }
        }
        val routed = bus("workers") {
            queue(jobs) { capacity = 64 }
            queue(results) { capacity = 64 }
            route(jobs, results) { flow -> flow.onEach { if (it == 500L) print("half\n") } }
        }
    }

    /** Holds the first message that it gets. */
    object Holding : ChildProgram {
        override suspend fun run(arguments: List<String>) {
            topology.attach(PATIENCE, Path.of(arguments[0])).consumer(jobs).consume {
                println("has $it")
                awaitCancellation() // is killed meanwhile
            }
        }
    }

    @Test
    fun theMessageOfAKilledConsumerComesToOneThatWaitsInACoroutine() = test {
        topology.use(temp.directory) { bus ->
            ChildJvm(Holding, temp.directory).use { child ->
                bus.sender(jobs).send(7)
                child.await("has 7")
                val consumer = bus.consumer(jobs)
                val consumed = async { consumer.consumeOne { it to consumer.deliveries } }
                eventually { consumer.guard.isAwaited }
                child.kill()
                assertEquals(7L to 2, consumed.await())
            }
        }
    }

    /** Runs the route until it is killed. */
    object Routing : ChildProgram {
        override suspend fun run(arguments: List<String>) =
            routed.attach(PATIENCE, Path.of(arguments[0])).use { it.runRoutes() }
    }

    /** A message may come twice: it was sent on, and its route was killed before it was acknowledged. */
    @Test
    fun aRouteThatIsKilledInTheMiddleLosesNoMessageAndDoublesAtMostOne() = test {
        val count = 1_000L
        routed.use(temp.directory) { bus ->
            val sender = bus.sender(jobs)
            launch { for (number in 0 until count) sender.send(number) }
            val got = mutableListOf<Long>()
            val all = async {
                val consumer = bus.consumer(results)
                while (got.toSet().size < count) consumer.consumeOne { got += it }
            }
            ChildJvm(Routing, temp.directory).use { child ->
                child.await("half")
                child.kill()
            }
            launch { bus.runRoutes() }
            all.await()
            assertTrue(got.size <= count + 1, "${got.size} of $count")
        }
    }
}
