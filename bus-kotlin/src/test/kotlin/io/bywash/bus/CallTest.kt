package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.call.Endpoint
import io.bywash.bus.call.caller
import io.bywash.bus.call.endpoint
import io.bywash.bus.call.serve
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.consumer
import io.bywash.bus.queue.onConsume
import io.bywash.bus.queue.queue
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.SpecMismatchException
import io.bywash.engine.call.CallFailedException
import io.bywash.engine.call.CallFailedException.Reason
import io.bywash.engine.record.RecordFormatException
import io.bywash.engine.record.Records
import java.lang.invoke.MethodHandles
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension
import io.bywash.engine.call.Endpoint as EngineEndpoint

@Timeout(180)
class CallTest {
    @RegisterExtension
    val temp = TempBus()

    @JvmRecord
    data class Question(val number: Long)

    @JvmRecord
    data class Answer(val number: Long, val square: Long)

    companion object {
        val squares = Endpoint<Question, Answer>("squares")
        val topology = bus("calls") {
            endpoint(squares) {
                maxRequest = 64.bytes
                maxReply = 128.bytes
                callers = 8
                slots = 4
                responders = 4
            }
        }

        fun square(question: Question) = Answer(question.number, question.number * question.number)
    }

    private inline fun <reified E : Exception> thrown(call: () -> Unit): E {
        try {
            call()
        } catch (expected: Exception) {
            return expected as? E ?: throw expected
        }
        throw AssertionError("nothing was thrown")
    }

    private suspend fun failure(call: suspend () -> Unit): CallFailedException = thrown { call() }

    @Test
    fun itEqualsTheEndpointThatIsSpecifiedInJava() {
        val engine = EngineEndpoint.of("squares", 64, 128).callers(8).slots(4).responders(4)
        assertEquals(SegmentSpec.of(engine.spec()), topology.toSpec())
        val picture = "8 callers -> [\"squares\" requests of 64 bytes, replies of 128 bytes] -> 4 responders"
        assertTrue(picture in "$topology", "$topology")
    }

    @Test
    fun callersOfSeveralCoroutinesEachGetTheirOwnReplies() = test {
        topology.use(temp.directory) { bus ->
            launch {
                bus.serve(squares, workers = 3) {
                    if (it.number % 7 == 0L) yield()
                    square(it)
                }
            }
            List(4) { index ->
                async {
                    bus.caller(squares).use { caller ->
                        for (i in 0L until 200) {
                            val number = index * 1000 + i
                            assertEquals(Answer(number, number * number), caller.call(Question(number), PATIENCE))
                        }
                    }
                }
            }.awaitAll()
        }
    }

    @Test
    fun whatABlockThrowsFailsItsCallAndNothingElse() = test {
        topology.use(temp.directory) { bus ->
            launch { bus.serve(squares) { if (it.number == 13L) error("unlucky") else square(it) } }
            val caller = bus.caller(squares)
            val failed = failure { caller.call(Question(13), PATIENCE) }
            assertEquals(Reason.HANDLER_FAILED to "unlucky", failed.reason() to failed.remoteMessage())
            assertEquals(Answer(3, 9), caller.call(Question(3), PATIENCE))
        }
    }

    @Test
    fun anErrorThatABlockThrowsFailsItsCallAndNothingElse() = test {
        topology.use(temp.directory) { bus ->
            launch {
                bus.serve(squares) {
                    if (it.number % 2 == 0L) yield()
                    if (it.number > 10) TODO("number ${it.number}")
                    square(it)
                }
            }
            val caller = bus.caller(squares)
            for (number in listOf(13L, 14L)) { // in the worker itself, and after the block has suspended
                val failed = failure { caller.call(Question(number), PATIENCE) }
                assertEquals(Reason.HANDLER_FAILED to "kotlin.NotImplementedError",
                    failed.reason() to failed.remoteType())
                assertTrue("number $number" in failed.remoteMessage(), failed.message)
                assertEquals(Answer(3, 9), caller.call(Question(3), PATIENCE))
            }
        }
    }

    /** Writes an impossible request word to the slot behind that of a request, which is in the file. */
    private fun damageBehind(number: Long) {
        FileChannel.open(temp.directory.resolve("calls"), READ, WRITE).use { file ->
            val bytes = file.map(FileChannel.MapMode.READ_WRITE, 0, file.size()).order(ByteOrder.nativeOrder())
            val payload = (0 until file.size().toInt() step 8).first { bytes.getLong(it) == number }
            bytes.putLong(payload - 32 + 512, 1L shl 60) // docs/SPEC.md 14.1: slots of 128, 256 and 128 bytes
        }
    }

    @Test
    fun aCallerThatIsDamagedKeepsNobodyFromTheOthers() = test {
        topology.use(temp.directory) { bus ->
            launch { bus.serve(squares) { square(it) } }
            val damaged = bus.caller(squares)
            val sound = bus.caller(squares)
            for (number in 0xBADL until 0xBB5L) {
                assertEquals(square(Question(number)), damaged.call(Question(number), PATIENCE))
                damageBehind(number)
                assertEquals(square(Question(1)), sound.call(Question(1), PATIENCE))
            }
        }
    }

    @Test
    fun aCodecThatTheOtherSideDoesNotHaveEndsItsCallWithATypedFailureAndNoOther() = test {
        topology.use(temp.directory) { bus ->
            launch { bus.serve(squares) { square(it) } }
            val asText = bus.caller(Endpoint("squares", Codec.Text, squares.reply))
            val failed = failure { asText.call("no question", PATIENCE) }
            assertEquals(Reason.HANDLER_FAILED to RecordFormatException::class.java.name,
                failed.reason() to failed.remoteType())
            assertTrue("11 bytes" in failed.remoteMessage() && "Question" in failed.remoteMessage(), failed.message)
            val forOther = bus.caller(Endpoint("squares", squares.request, recordCodec<Question>()))
            val undecoded = thrown<DecodingException> { forOther.call(Question(3), PATIENCE) }
            assertEquals("squares", undecoded.queue)
            assertTrue(undecoded.cause is RecordFormatException, undecoded.message)
            assertEquals(Answer(3, 9), bus.caller(squares).call(Question(3), PATIENCE))
        }
    }

    @Test
    fun recordsThatAnEndpointIsNotDeclaredToCarryAreRefusedWithTheDifference() = test {
        val declared = Records.of(MethodHandles.lookup(), Question::class.java)
        val spec = SegmentSpec.of(declared.declare(EngineEndpoint.of("squares", 64, 128).spec()))
        Segment.create(temp.directory.resolve("calls"), spec).use {
            topology.attach(PATIENCE, temp.directory).use { bus ->
                val refused = listOf(
                    thrown<SpecMismatchException> { bus.caller(squares) },
                    thrown<SpecMismatchException> { bus.serve(squares) { square(it) } },
                )
                refused.forEach { assertTrue("Question" in "${it.message}" && "Answer" in "${it.message}", it.message) }
                val same = Endpoint<Question, Question>("squares")
                launch { bus.serve(same) { Question(it.number + 1) } }
                assertEquals(Question(8), bus.caller(same).call(Question(7), PATIENCE))
            }
        }
    }

    @Test
    fun nobodyAnswersAndTheCallEndsInTimeOrAtOnceAsAsked() = test {
        topology.use(temp.directory) { bus ->
            assertEquals(Reason.TIMED_OUT, failure { bus.caller(squares).call(Question(1), 20.milliseconds) }.reason())
            val fast = bus.caller(squares, failsFast = true)
            assertEquals(Reason.NO_RESPONDER, failure { fast.call(Question(1), PATIENCE) }.reason())
        }
    }

    /** The block is suspended for ever, and learns that nobody waits any more. */
    @Test
    fun cancellingACallCancelsTheBlockThatHandlesIt() = test {
        topology.use(temp.directory) { bus ->
            val begun = CompletableDeferred<Unit>()
            val cancelled = CompletableDeferred<Unit>()
            launch {
                bus.serve(squares) {
                    if (it.number == 0L) {
                        begun.complete(Unit)
                        try {
                            awaitCancellation()
                        } finally {
                            cancelled.complete(Unit)
                        }
                    }
                    square(it)
                }
            }
            val caller = bus.caller(squares)
            val calling = launch { caller.call(Question(0), 10.minutes) }
            begun.await()
            calling.cancelAndJoin()
            cancelled.await()
            assertEquals(Answer(2, 4), caller.call(Question(2), PATIENCE)) // the worker goes on
        }
    }

    @Test
    fun callsThatAreCancelledAtAnyTimeLeaveNoSlotBehind() = test {
        topology.use(temp.directory) { bus ->
            val handled = AtomicInteger()
            launch {
                bus.serve(squares, workers = 2) {
                    handled.incrementAndGet()
                    if (it.number % 2 == 0L) delay(1)
                    square(it)
                }
            }
            val caller = bus.caller(squares)
            for (round in 0L until 200) { // of 4 slots
                val calling = launch { caller.call(Question(round), PATIENCE) }
                if (round % 3 == 0L) delay(1) else yield()
                calling.cancelAndJoin()
            }
            assertEquals(Answer(5, 25), caller.call(Question(5), PATIENCE))
            assertTrue(handled.get() > 0)
        }
    }

    @Test
    fun servingEndsWithItsBusAndCallsThatWaitEndWithTheirs() = test {
        val bus = topology.open(temp.directory)
        val serving = launch { bus.serve(squares, workers = 2) { awaitCancellation() } }
        val other = topology.open(temp.directory)
        val caller = other.caller(squares)
        val calling = async { runCatching { caller.call(Question(1), 10.minutes) } }
        eventually { caller.guard.isAwaited }
        other.close()
        assertTrue(calling.await().exceptionOrNull() is BusClosedException)
        serving.cancelAndJoin()
        bus.close()
    }

    @Test
    fun servingEndsWithItsBusThoughItsBlockIsSuspended() = test {
        val bus = topology.open(temp.directory)
        val inside = CompletableDeferred<Unit>()
        val serving = launch {
            bus.serve(squares) {
                inside.complete(Unit)
                awaitCancellation()
            }
        }
        topology.use(temp.directory) { other ->
            val failed = async { failure { other.caller(squares).call(Question(1), 10.minutes) } }
            inside.await()
            bus.close()
            serving.join()
            assertEquals(Reason.RESPONDER_GONE, failed.await().reason())
        }
    }

    /** Serves until it is killed, with the first request in hand. */
    object Holding : ChildProgram {
        override suspend fun run(arguments: List<String>) =
            topology.attach(PATIENCE, Path.of(arguments[0])).serve(squares) {
                println("has it")
                awaitCancellation()
            }
    }

    @Test
    fun aCallWhoseResponderIsKilledFails() = test {
        topology.use(temp.directory) { bus ->
            ChildJvm(Holding, temp.directory).use { child ->
                val failed = async { failure { bus.caller(squares).call(Question(1), 10.minutes) } }
                child.await("has it")
                child.kill()
                assertEquals(Reason.RESPONDER_GONE, failed.await().reason())
            }
        }
    }

    @Test
    fun aSelectOverATopicAQueueAndACallTakesWhatComesFirst() = test {
        val news = Topic("news", Codec.Int64)
        val jobs = WorkQueue("jobs", Codec.Int64)
        val mixed = bus("mixed") {
            topic(news)
            queue(jobs)
            endpoint(squares)
        }
        mixed.use(temp.directory) { bus ->
            launch { bus.serve(squares) { square(it) } }
            val caller = bus.caller(squares)
            val receiver = bus.receiver(news)
            val consumer = bus.consumer(jobs)
            val seen = mutableSetOf<String>()
            val call = async { caller.call(Question(9), PATIENCE).square }
            var isCalling = true
            bus.sender(jobs).send(1)
            bus.sender(news).send(2)
            repeat(3) {
                seen += select<String> {
                    if (isCalling) {
                        call.onAwait { square ->
                            isCalling = false
                            "call $square"
                        }
                    }
                    onConsume(consumer) { "job $it" }
                    onReceive(receiver) { "news $it" }
                }
            }
            assertEquals(setOf("call 81", "job 1", "news 2"), seen)
        }
    }
}
