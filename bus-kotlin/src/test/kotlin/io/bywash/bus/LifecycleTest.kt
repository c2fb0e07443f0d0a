package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.engine.RoleTakenException
import kotlin.io.path.exists
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.transform
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** Opening, closing, forgetting, and the routes of a topology. */
@Timeout(120)
class LifecycleTest {
    @RegisterExtension
    val temp = TempBus()

    private val raw = Topic("raw", Codec.Int64)
    private val cooked = Topic("cooked", Codec.Text)
    private val topology = bus("life") {
        topic(raw) { ring = 64.KiB }
        topic(cooked) { ring = 64.KiB }
        route(raw, cooked) { flow -> flow.filter { it % 2 == 0L }.map { "number $it" } }
    }

    @Test
    fun useCancelsWhatWasLaunchedBeforeItClosesTheBus() = test {
        var ended = ""
        val result = topology.use(temp.directory) { bus ->
            launch {
                try {
                    bus.receiver(raw).receive()
                } finally {
                    ended = if (runCatching { bus.sender(raw) }.isSuccess) "before the close" else "after the close"
                }
            }
            bus.sender(raw).use { assertTrue(it.awaitReceivers(1, PATIENCE)) }
            7
        }
        assertEquals(7, result)
        assertEquals("before the close", ended)
    }

    @Test
    fun useThrowsTheFailureOfItsBlockAndOfWhatItLaunched() = test {
        val own = runCatching { topology.use(temp.directory) { error("its own") } }
        assertEquals("its own", own.exceptionOrNull()?.message)
        val child = runCatching {
            topology.use(temp.directory) { bus ->
                launch { error("a child's") }
                bus.receiver(raw).receive()
            }
        }
        assertEquals("a child's", child.exceptionOrNull()?.message)
    }

    @Test
    fun aBusThatWasStartedRunsItsRoutesAndEndsWithItsScope() = test {
        val scope = CoroutineScope(Dispatchers.Default + Job())
        val bus = topology.start(scope, temp.directory)
        val sender = bus.sender(raw)
        val receiver = bus.receiver(cooked)
        assertTrue(sender.awaitReceivers(1, PATIENCE))
        sender.sendAll(listOf(1, 2, 3, 4))
        assertEquals(listOf("number 2", "number 4"), List(2) { receiver.receive() })
        scope.coroutineContext.job.cancelAndJoin()
        assertTrue(receiver.tryReceive().isClosed)
    }

    @Test
    fun routesEndWhenTheirFlowsDoAndFailTogether() = test {
        val twice = Topic("twice", Codec.Text)
        val ending = bus("ending") {
            topic(raw)
            topic(cooked)
            topic(twice)
            route(raw, cooked) { flow -> flow.take(1).map { "$it" } }
            route(raw, twice) { flow -> flow.transform { if (it < 0) error("negative") else emit("$it") } }
        }
        ending.use(temp.directory) { bus ->
            val sender = bus.sender(raw)
            val running = launch {
                assertEquals("negative", runCatching { bus.runRoutes() }.exceptionOrNull()?.message)
            }
            assertTrue(sender.awaitReceivers(2, PATIENCE))
            sender.send(5)
            eventually { sender.receiverCount == 1 }
            sender.send(-1)
            running.join()
            eventually { sender.receiverCount == 0 }
            bus.sender(twice).close()
        }
        bus("none") { topic(raw) }.use(temp.directory) { it.runRoutes() }
    }

    @Test
    fun routesThatCouldNotBeginKeepNoSender() = test {
        val twice = Topic("twice", Codec.Text)
        val routed = bus("routed") {
            topic(raw)
            topic(cooked)
            topic(twice)
            route(raw, cooked) { flow -> flow.map { "$it" } }
            route(raw, twice) { flow -> flow.map { "$it" } }
        }
        routed.use(temp.directory) { bus ->
            routed.use(temp.directory) { other ->
                val inTheWay = other.sender(twice)
                val refused = runCatching { bus.runRoutes() }.exceptionOrNull()
                assertTrue(refused is RoleTakenException, "$refused")
                inTheWay.close()
                val running = launch { bus.runRoutes() }
                assertTrue(bus.sender(raw).awaitReceivers(2, PATIENCE))
                running.cancelAndJoin()
            }
        }
    }

    /** What is dropped is closed with a warning, and holds nobody back. */
    @Test
    fun busesSendersAndReceiversThatAreForgottenAreClosedWithAnAlarm() = test {
        withLog { records ->
            topology.open(temp.directory).use { bus ->
                topology.open(temp.directory).let { dropped ->
                    dropped.receiver(raw)
                    dropped.sender(cooked)
                }
                bus.receiver(raw)
                val sender = bus.sender(raw)
                eventually {
                    System.gc()
                    sender.receiverCount == 0 && bus.segment.participants().size == 1
                }
                bus.sender(cooked).close()
                // roles of the forgotten bus are closed with it, or before it with alarms of their own
                eventually { records.map { it.message.startsWith("The bus ") }.toSet() == setOf(true, false) }
                val warnings = records.map { it.message }
                assertFalse(warnings.any { "could not be closed" in it }, "$warnings")
            }
        }
    }

    @Test
    fun manyOpenedAndClosedBusesLeaveNoThreadNoMappingAndNoDescriptor() = test {
        fun mappings() = java.io.File("/proc/self/maps").readLines().count { "/life" in it && "deleted" !in it }

        fun descriptors() = java.io.File("/proc/self/fd").list()!!.size
        topology.use(temp.directory) {}
        val before = descriptors()
        repeat(30) {
            topology.use(temp.directory) { bus ->
                launch { bus.flow(raw).collect {} }
                launch { bus.runRoutes() }
                val sender = bus.sender(raw)
                assertTrue(sender.awaitReceivers(2, PATIENCE))
                sender.send(1)
            }
        }
        eventually {
            System.gc()
            mappings() == 0 && descriptors() <= before
        }
    }

    @OptIn(DelicateCoroutinesApi::class)
    @Test
    fun aScopeWithoutAJobOpensNothing() {
        assertTrue(runCatching { topology.start(GlobalScope, temp.directory) }.exceptionOrNull()
            is IllegalStateException)
        assertFalse(temp.directory.resolve("life").exists())
    }
}
