package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.queue
import io.bywash.bus.ring.Ring
import io.bywash.bus.ring.ring
import io.bywash.engine.Lifetime
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import java.nio.file.attribute.PosixFilePermission
import java.nio.file.attribute.PosixFilePermissions
import kotlin.random.Random
import kotlinx.coroutines.flow.map
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
            topic("readings") {
                ring = 4.MiB
                receivers = 16
            }
            topic("ticks", Codec.Text) { ring = 60.KiB }
        }
        val spec = SegmentSpec.of(Broadcast.spec("readings", 4L shl 20, 16), Broadcast.spec("ticks", 64 * 1024))
            .withLifetime(Lifetime.KEPT).withParticipantCapacity(8).withEntryCapacity(32)
            .withSizeBytes(16L shl 20).withPermissions(forGroup)
        assertEquals(spec, topology.toSpec())
    }

    @Test
    fun theDefaultsAreThoseOfTheEngine() {
        assertEquals(SegmentSpec.of(Broadcast.spec("q", 4L shl 20)), bus("demo") { topic("q") }.toSpec())
        val many = (1..70).map { Broadcast.spec("q$it", 4096) }
        val topology = bus("demo") { many.forEach { topic(it.name) { ring = 4.KiB } } }
        assertEquals(SegmentSpec.of(many), topology.toSpec())
    }

    @Test
    fun allFaultsAreFoundAtOnceEachWithItsPlace() {
        val fault = assertThrows(InvalidTopologyException::class.java) {
            bus("de mo") {
                participants = 0
                entries = 513
                size = 100.bytes
                topic("readings") {
                    ring = 100.bytes
                    receivers = 1024
                }
                topic("-ticks") { ring = 65537.GiB }
                topic("twice")
                topic("twice", Codec.Text)
            }
        }
        val name = "is no name; use 1 to 64 characters of A-Z a-z 0-9 . _ - beginning with a letter or a digit"
        val expected = listOf(
            "bus \"de mo\": name=\"de mo\" $name",
            "bus \"de mo\" / topic \"readings\": ring=100 is not between 4096 and 137438953472",
            "bus \"de mo\" / topic \"readings\": receivers=1024 is not between 1 and 1023",
            "bus \"de mo\" / topic \"-ticks\": name=\"-ticks\" $name",
            "bus \"de mo\" / topic \"-ticks\": ring=70369817919488 is not between 4096 and 137438953472",
            "bus \"de mo\": \"twice\" is declared 2 times; names are unique in a bus",
            "bus \"de mo\": participants=0 is not between 1 and 256",
            "bus \"de mo\": entries=513 is not between 1 (the entries given) and 512",
        )
        assertEquals(expected, fault.faults.map { "$it" }.dropLast(1))
        assertTrue("${fault.faults.last()}".startsWith("bus \"de mo\": size=4096 is less than the "), "${fault.faults}")
        assertEquals("bus \"de mo\" has 9 faults:\n  " + fault.faults.joinToString("\n  "), fault.message)
    }

    @Test
    fun aFaultOfTheWholeIsFoundToo() {
        val tooFewEntries = assertThrows(InvalidTopologyException::class.java) {
            bus("demo") {
                entries = 1
                topic("a")
                topic("b")
            }
        }
        val expected = listOf("bus \"demo\": entries=1 is not between 2 (the entries given) and 512")
        assertEquals(expected, tooFewEntries.faults.map { "$it" })
        assertTrue(tooFewEntries.message!!.startsWith("bus \"demo\" has 1 fault:"))
        val tooManyQueues = assertThrows(InvalidTopologyException::class.java) {
            bus("demo") { repeat(513) { topic("q$it") } }
        }
        assertEquals(1, tooManyQueues.faults.size)
    }

    @Test
    fun topologiesAreEqualWhenTheyDescribeTheSameSegment() {
        fun demo(codec: Codec<*>, bytes: Int) = bus("demo") { topic(Topic("q", codec)) { ring = bytes.bytes } }
        assertEquals(demo(Codec.Text, 8192), demo(Codec.Bytes, 8192))
        assertEquals(demo(Codec.Text, 8192).hashCode(), demo(Codec.Bytes, 8192).hashCode())
        assertNotEquals(demo(Codec.Text, 8192), demo(Codec.Text, 4096))
        assertNotEquals(bus("one") {}, bus("two") {})
    }

    @Test
    fun aTypedNameMayStandInsideOrOutsideOfTheBlock() {
        val outside = Topic("outside", Codec.Text)
        val inside: Topic<String>
        val plain: Topic<ByteArray>
        val topology = bus("demo") {
            topic(outside)
            inside = topic("inside", Codec.Text)
            plain = topic("plain")
        }
        assertEquals(listOf(outside, inside, plain), topology.entries)
        assertSame(Codec.Text, inside.codec)
        assertEquals("Topic(\"plain\", Codec.Bytes)", plain.toString())
    }

    @Test
    fun aTopologyPrintsAsAPicture() {
        val topology = bus("market") {
            participants = 16
            size = 16.MiB
            topic("ticks") { receivers = 8 }
            topic("trades") { ring = 100.KiB }
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

    @Test
    fun routesAreCheckedBeforeAnythingIsCreated() {
        val a = Topic("a", Codec.Text)
        val b = Topic("b", Codec.Text)
        val missing = Topic("missing", Codec.Text)
        val fault = assertThrows(InvalidTopologyException::class.java) {
            bus("demo") {
                topic(a)
                topic(b)
                route(a, missing) { it }
                route(a, a) { it }
                route(a, b) { it }
                route(b, b) { it }
            }
        }
        assertEquals(
            listOf(
                "bus \"demo\" / route \"a\" -> \"missing\": there is no \"missing\" in this bus",
                "bus \"demo\" / route \"a\" -> \"a\": it would receive what it sends",
                "bus \"demo\" / route \"b\" -> \"b\": it would receive what it sends",
                "bus \"demo\": 2 routes lead to \"b\", which has one sender at a time",
            ),
            fault.faults.map { "$it" },
        )
        val good = bus("demo") {
            topic(a)
            topic(b)
            route(a, b) { it }
        }
        assertTrue("$good".endsWith("\n  route \"a\" -> \"b\""), "$good")
    }

    @JvmRecord
    private data class Sample(val value: Long)

    @JvmRecord
    private data class Other(val value: Double)

    @Test
    fun routesLeadFromAndToWhatIsDeclaredAndOneFromARing() {
        val samples = Ring<Sample>("samples")
        val jobs = WorkQueue<Sample>("jobs")
        val copies = WorkQueue<Sample>("copies")
        fun faults(route: BusBuilder.() -> Unit) = assertThrows(InvalidTopologyException::class.java) {
            bus("demo") {
                ring(samples)
                queue(jobs)
                queue(copies)
                route()
            }
        }.faults.map { "$it" }
        assertEquals(
            listOf("bus \"demo\": 2 routes begin at \"samples\", which has one receiver at a time"),
            faults {
                route(samples, jobs) { it }
                route(samples, copies) { it }
                route(jobs, copies) { it }
                route(jobs, copies) { it }
            },
        )
        assertEquals(
            listOf(
                "bus \"demo\" / route \"samples\" -> \"jobs\": \"samples\" is declared as Ring, not as Topic",
                "bus \"demo\" / route \"jobs\" -> \"copies\": \"copies\" is declared with other records",
            ),
            faults {
                route(Topic<Sample>("samples"), jobs) { it }
                route(jobs, WorkQueue<Other>("copies")) { flow -> flow.map { Other(it.value.toDouble()) } }
            },
        )
    }

    /** Random declarations: each wrong setting is one fault with its place, and right ones are none. */
    @Test
    fun exactlyWhatIsWrongIsAFault() {
        val random = Random(5)
        repeat(500) {
            val expected = mutableSetOf<String>()
            fun <T> choose(right: List<T>, wrong: List<T>, fault: (T) -> String): T =
                if (random.nextInt(4) > 0) right.random(random) else wrong.random(random).also { expected += fault(it) }
            val build = {
                bus("demo") {
                    participants = choose(listOf(1, 7, 256), listOf(0, -1, 257)) { "bus \"demo\": participants=$it" }
                    entries = choose(listOf(null, 20, 512), listOf(2, 0, 513)) { "bus \"demo\": entries=$it" }
                    repeat(3) { index ->
                        val place = "bus \"demo\" / topic \"t$index\""
                        topic("t$index") {
                            ring = choose(listOf(4.KiB, 5.MiB), listOf(4095.bytes, 129.GiB, (-1).KiB)) {
                                "$place: ring=${it.bytes}"
                            }
                            receivers = choose(listOf(1, 1023), listOf(0, 1024)) { "$place: receivers=$it" }
                        }
                    }
                }
            }
            val faults = try {
                build()
                emptyList()
            } catch (invalid: InvalidTopologyException) {
                invalid.faults
            }
            val found = faults.map { "$it".substringBefore(" is not") }.toSet()
            // With fewer topics left, so few entries may be enough.
            assertEquals(expected - "bus \"demo\": entries=2", found - "bus \"demo\": entries=2")
        }
    }
}
