package io.bywash.bus

import io.bywash.engine.Lifetime
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import java.nio.file.attribute.PosixFilePermission
import java.nio.file.attribute.PosixFilePermissions
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class TopologyTest {
    private val forGroup: Set<PosixFilePermission> = PosixFilePermissions.fromString("rw-rw----")

    @Test
    fun aTopologyEqualsTheSpecWrittenInJavaStyle() {
        val topology = bus("demo") {
            lifetime = Lifetime.KEPT
            participants = 8
            entries = 32
            size = 16.MiB
            permissions = forGroup
            broadcast("readings") {
                ring = 4.MiB
                subscribers = 16
            }
            broadcast("ticks", Codec.Text) { ring = 60.KiB }
        }
        val spec = SegmentSpec.of(Broadcast.spec("readings", 4L shl 20, 16), Broadcast.spec("ticks", 64 * 1024))
            .withLifetime(Lifetime.KEPT).withParticipantCapacity(8).withEntryCapacity(32)
            .withSizeBytes(16L shl 20).withPermissions(forGroup)
        assertEquals(spec, topology.toSpec())
    }

    @Test
    fun theDefaultsAreThoseOfTheEngine() {
        assertEquals(SegmentSpec.of(Broadcast.spec("q", 4L shl 20)), bus("demo") { broadcast("q") }.toSpec())
        val many = (1..70).map { Broadcast.spec("q$it", 4096) }
        val topology = bus("demo") { many.forEach { broadcast(it.name) { ring = 4.KiB } } }
        assertEquals(SegmentSpec.of(many), topology.toSpec())
    }

    @Test
    fun allFaultsAreFoundAtOnceEachWithItsPlace() {
        val fault = assertThrows(InvalidTopologyException::class.java) {
            bus("de mo") {
                participants = 0
                entries = 513
                size = 100.bytes
                broadcast("readings") {
                    ring = 100.bytes
                    subscribers = 1024
                }
                broadcast("-ticks") { ring = 65537.GiB }
                broadcast("twice")
                broadcast("twice", Codec.Text)
            }
        }
        val name = "is no name; use 1 to 64 characters of A-Z a-z 0-9 . _ - beginning with a letter or a digit"
        val expected = listOf(
            "bus \"de mo\": name=\"de mo\" $name",
            "bus \"de mo\" / broadcast \"readings\": ring=100 is not between 4096 and 137438953472",
            "bus \"de mo\" / broadcast \"readings\": subscribers=1024 is not between 1 and 1023",
            "bus \"de mo\" / broadcast \"-ticks\": name=\"-ticks\" $name",
            "bus \"de mo\" / broadcast \"-ticks\": ring=70369817919488 is not between 4096 and 137438953472",
            "bus \"de mo\": broadcast \"twice\" is declared 2 times; names are unique in a bus",
            "bus \"de mo\": participants=0 is not between 1 and 256",
            "bus \"de mo\": entries=513 is not between 1 (the entries given) and 512",
        )
        assertEquals(expected, fault.faults.dropLast(1))
        assertTrue(fault.faults.last().startsWith("bus \"de mo\": size=4096 is less than the "), fault.faults.last())
        assertEquals("bus \"de mo\" has 9 faults:\n  " + fault.faults.joinToString("\n  "), fault.message)
    }

    @Test
    fun aFaultOfTheWholeIsFoundToo() {
        val tooFewEntries = assertThrows(InvalidTopologyException::class.java) {
            bus("demo") {
                entries = 1
                broadcast("a")
                broadcast("b")
            }
        }
        val expected = listOf("bus \"demo\": entries=1 is not between 2 (the entries given) and 512")
        assertEquals(expected, tooFewEntries.faults)
        assertTrue(tooFewEntries.message!!.startsWith("bus \"demo\" has 1 fault:"))
        val tooManyQueues = assertThrows(InvalidTopologyException::class.java) {
            bus("demo") { repeat(513) { broadcast("q$it") } }
        }
        assertEquals(1, tooManyQueues.faults.size)
    }

    @Test
    fun topologiesAreEqualWhenTheyDescribeTheSameSegment() {
        fun demo(codec: Codec<*>, bytes: Int) = bus("demo") { broadcast(Queue("q", codec)) { ring = bytes.bytes } }
        assertEquals(demo(Codec.Text, 8192), demo(Codec.Bytes, 8192))
        assertEquals(demo(Codec.Text, 8192).hashCode(), demo(Codec.Bytes, 8192).hashCode())
        assertNotEquals(demo(Codec.Text, 8192), demo(Codec.Text, 4096))
        assertNotEquals(bus("one") {}, bus("two") {})
    }

    @Test
    fun aTypedNameMayStandInsideOrOutsideOfTheBlock() {
        val outside = Queue("outside", Codec.Text)
        val inside: Queue<String>
        val plain: Queue<ByteArray>
        val topology = bus("demo") {
            broadcast(outside)
            inside = broadcast("inside", Codec.Text)
            plain = broadcast("plain")
        }
        assertEquals(listOf(outside, inside, plain), topology.queues)
        assertSame(Codec.Text, inside.codec)
        assertEquals("Queue(\"plain\", Codec.Bytes)", plain.toString())
    }

    @Test
    fun aTopologyPrintsAsAPicture() {
        val topology = bus("market") {
            participants = 16
            size = 16.MiB
            broadcast("ticks") { subscribers = 8 }
            broadcast("trades") { ring = 100.KiB }
        }
        assertEquals(
            """
            bus "market": 16 participants, removed when unused, 16 MiB
              sender -> ["ticks"  4 MiB] -> 8 receivers
              sender -> ["trades" 128 KiB] -> 64 receivers
            """.trimIndent(),
            topology.toString(),
        )
    }

    @Test
    fun sizesAreWrittenAndPrintedWithTheirUnit() {
        assertEquals(listOf(7L, 4096L, 4194304L, 1L shl 30), listOf(7.bytes, 4.KiB, 4.MiB, 1.GiB).map { it.bytes })
        assertEquals(
            listOf("0 bytes", "1000 bytes", "3 KiB", "4 MiB", "2048 GiB", "-1 KiB"),
            listOf(0.bytes, 1000.bytes, 3072L.bytes, 4096.KiB, 2048.GiB, (-1).KiB).map { it.toString() },
        )
        assertTrue(1023.KiB < 1.MiB)
        assertEquals(Int.MAX_VALUE * (1L shl 30), Int.MAX_VALUE.GiB.bytes)
    }
}
