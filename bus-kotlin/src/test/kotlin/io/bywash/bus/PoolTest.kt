package io.bywash.bus

import io.bywash.bus.pool.Pool
import io.bywash.bus.pool.open
import io.bywash.bus.pool.pool
import io.bywash.bus.pool.user
import io.bywash.engine.SegmentSpec
import io.bywash.engine.pool.InvalidHandleException
import io.bywash.engine.record.Records
import java.lang.invoke.MethodHandles
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension
import io.bywash.engine.pool.Pool as EnginePool

@Timeout(120)
class PoolTest {
    @RegisterExtension
    val temp = TempBus()

    @JvmRecord
    private data class Player(val id: Long, val health: Int)

    private val players = Pool<Player>("players")
    private val topology = bus("game") {
        pool(players) {
            capacity = 2
            users = 3
        }
    }

    @Test
    fun itEqualsThePoolThatIsSpecifiedInJava() {
        val records = Records.of(MethodHandles.lookup(), Player::class.java)
        assertEquals(SegmentSpec.of(EnginePool.spec("players", 2, records, 3)), topology.toSpec())
        assertTrue("3 users -> [\"players\" 2 objects of 16 bytes] -> 3 users" in "$topology", "$topology")
    }

    @Test
    fun anObjectIsReleasedAtTheEndOfUseWhateverItsBlockDoes() = test {
        topology.use(temp.directory) { bus ->
            val user = bus.user(players)
            val view = bus.open(players)
            repeat(3) {
                user.acquire(Player(1, 100)).use { player ->
                    player!!.set(Player(1, 90))
                    assertEquals(Player(1, 90), player.get())
                    assertEquals(1, view.allocated())
                }
                runCatching { user.acquire(Player(2, 50)).use { error("no") } }
                assertEquals(0, view.allocated())
            }
            val all = List(2) { user.acquire(Player(it.toLong(), 1)) }
            assertNull(user.acquire(Player(9, 9)))
            user.close()
            assertEquals(0, view.allocated())
            all.forEach { it!!.close() } // does nothing
        }
    }

    @Test
    fun anObjectThatIsHandedOverBelongsToTheOtherUser() = test {
        topology.use(temp.directory) { bus ->
            val one = bus.user(players)
            val other = bus.user(players)
            one.acquire(Player(7, 70)).use { player ->
                assertTrue(runCatching { other.adopt(player!!.handle) }.exceptionOrNull() is InvalidHandleException)
                assertTrue(player!!.transfer(other.id))
                other.adopt(player.handle).use { assertEquals(Player(7, 70), it.get()) }
            } // its end releases nothing
            val gone = bus.user(players).run { close().let { id } }
            one.acquire(Player(8, 80)).use { assertFalse(it!!.transfer(gone)) }
            assertEquals(0, bus.open(players).allocated())
        }
    }
}
