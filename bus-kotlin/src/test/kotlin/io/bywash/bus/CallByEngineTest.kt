package io.bywash.bus

import io.bywash.bus.call.Endpoint
import io.bywash.bus.call.caller
import io.bywash.bus.call.endpoint
import io.bywash.bus.call.serve
import io.bywash.engine.call.CallFailedException
import io.bywash.engine.call.Request
import io.bywash.engine.call.Responder
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension
import io.bywash.engine.call.Caller as EngineCaller

/** Calls and requests whose other side is the engine's own, which shows more of them. */
@Timeout(120)
class CallByEngineTest {
    @RegisterExtension
    val temp = TempBus()

    private val squares = Endpoint("squares", Codec.Int64, Codec.Int64)
    private val topology = bus("calls") { endpoint(squares) { slots = 4 } }

    @Test
    fun whatABlockThrowsAtAOneWayRequestIsLoggedSinceNobodyGetsIt() = test {
        topology.use(temp.directory) { bus ->
            launch {
                bus.serve(squares) {
                    if (it == 0L) error("unlucky")
                    if (it == 1L) throw CancellationException("its own")
                    it * it
                }
            }
            withLog { records ->
                EngineCaller.open(squares.find(bus.segment)).use { caller ->
                    for (number in 0..2) caller.sendOneWay(ByteArray(Long.SIZE_BYTES).also { it[0] = number.toByte() })
                }
                eventually { records.size == 2 }
                assertEquals(listOf("unlucky", "its own"), records.map { it.thrown.message })
                assertTrue(records.all { "one-way" in it.message && "squares" in it.message }, records[0].message)
                val caller = bus.caller(squares)
                assertEquals(9, caller.call(3, PATIENCE))
                assertTrue(runCatching { caller.call(0, PATIENCE) }.isFailure)
                assertEquals(2, records.size, "a caller gets what its own request throws")
            }
        }
    }

    /** Each try takes a moment in which the machine might do something else; it is wrong if all tries are. */
    @Test
    fun aCallThatWaitsForASlotHasTheRestOfItsTimeForTheReply() = test {
        topology.use(temp.directory) { bus ->
            val caller = bus.caller(squares)
            Responder.open(squares.find(bus.segment)).use { responder ->
                suspend fun take(): Request {
                    var taken: Request? = null
                    eventually { responder.receive().also { taken = it } != null }
                    return taken!!
                }

                val held = ArrayDeque<Request>()
                var isRest = false
                for (attempt in 1..50) {
                    while (held.size < 4) { // all slots
                        val givenUp = launch { caller.call(1, PATIENCE) }
                        held += take()
                        givenUp.cancelAndJoin()
                    }
                    val waiting = async { runCatching { caller.call(2, PATIENCE) } }
                    eventually { caller.guard.isAwaited }
                    delay(20)
                    val free = System.nanoTime()
                    held.removeFirst().fail("too late")
                    val request = take()
                    val deadline = request.remainingNanos() + System.nanoTime()
                    request.fail("enough")
                    assertTrue(waiting.await().exceptionOrNull() is CallFailedException)
                    isRest = deadline - free < PATIENCE.inWholeNanoseconds
                    if (isRest) break
                }
                assertTrue(isRest)
                held.forEach { it.fail("too late") }
            }
        }
    }
}
