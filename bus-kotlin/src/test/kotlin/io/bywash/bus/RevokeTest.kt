package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.engine.RoleTakenException
import io.bywash.engine.SegmentClosedException
import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** The contract of the engine's `Revocable`, for senders and receivers. */
@Timeout(120)
class RevokeTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec(400))
    private val topology = bus("revoke") { topic(numbers) { ring = 4.KiB } }

    private fun isRevoked(failure: Throwable?) =
        failure is SegmentClosedException && failure.message!!.contains("was revoked")

    @Test
    fun aRoleThatNobodyIsInIsGivenBackAtOnce() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers)
            val receiver = bus.receiver(numbers)
            assertFalse(sender.isGivenBack || receiver.isGivenBack)
            repeat(2) {
                sender.revoke()
                receiver.revoke()
                assertTrue(sender.isGivenBack && receiver.isGivenBack)
                assertTrue(isRevoked(runCatching { sender.send(1) }.exceptionOrNull()))
                assertTrue(isRevoked(runCatching { receiver.receive() }.exceptionOrNull()))
                assertTrue(isRevoked(runCatching { for (number in receiver) error(number) }.exceptionOrNull()))
            }
            bus.sender(numbers).close()
            receiver.close()
            assertTrue(runCatching { receiver.receive() }.exceptionOrNull() is BusClosedException)
        }
    }

    @Test
    fun whoeverWaitsIsResumedWithTheReason() = test {
        topology.use(temp.directory) { bus ->
            val slow = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            while (sender.trySend(0).isSuccess) { /* until it is full */ }
            val receiver = bus.receiver(numbers)
            val sending = async { runCatching { sender.send(1) }.exceptionOrNull() }
            val receiving = async { runCatching { receiver.receive() }.exceptionOrNull() }
            eventually { sender.guard.isAwaited && receiver.guard.isAwaited }
            sender.revoke()
            receiver.revoke()
            assertTrue(isRevoked(sending.await()))
            assertTrue(isRevoked(receiving.await()))
            assertTrue(slow.tryReceive().isSuccess)
        }
    }

    @Test
    fun aHandlerThatDoesNotReturnHoldsNobodyBackAnyMore() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val entered = CountDownLatch(1)
            val leave = CountDownLatch(1)
            while (sender.trySend(0).isSuccess) { /* until it is full */ }
            val stuck = launch(Dispatchers.IO) {
                runCatching {
                    receiver.poll(1) {
                        entered.countDown()
                        leave.await()
                    }
                }
            }
            entered.await()
            assertTrue(sender.trySend(1).isFull)
            receiver.revoke()
            assertFalse(receiver.isGivenBack)
            repeat(50) { sender.send(2) }
            leave.countDown()
            stuck.join()
            assertTrue(receiver.isGivenBack)
        }
    }

    @Test
    fun aSenderThatIsWritingIsGivenBackWhenItsCodeReturnsAndHasSentNothing() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers)
            val receiver = bus.receiver(numbers)
            val entered = CountDownLatch(1)
            val leave = CountDownLatch(1)
            val writing = async(Dispatchers.IO) {
                runCatching {
                    sender.claim(400) {
                        entered.countDown()
                        leave.await()
                    }
                }.exceptionOrNull()
            }
            entered.await()
            sender.revoke()
            assertThrows(RoleTakenException::class.java) { bus.sender(numbers) }
            leave.countDown()
            assertTrue(isRevoked(writing.await()))
            bus.sender(numbers).use { it.send(3) }
            assertTrue(receiver.receive() == 3L)
        }
    }
}
