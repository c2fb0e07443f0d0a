package io.bywash.bus

import io.bywash.bus.broadcast.topic
import io.bywash.bus.call.endpoint
import io.bywash.bus.cell.Atomics
import io.bywash.bus.cell.atomics
import io.bywash.bus.cell.latest
import io.bywash.bus.cell.numbers
import io.bywash.bus.cell.records
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.queue
import io.bywash.bus.ring.ring
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.cell.NumberArray
import io.bywash.engine.cell.RecordArray
import io.bywash.engine.queue.DeliveryPolicy
import io.bywash.engine.record.Length
import io.bywash.engine.record.Records
import java.lang.invoke.MethodHandles
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension
import io.bywash.engine.call.Endpoint as EngineEndpoint
import io.bywash.engine.cell.Atomics as EngineAtomics
import io.bywash.engine.cell.Latest as EngineLatest
import io.bywash.engine.queue.WorkQueue as EngineQueue
import io.bywash.engine.ring.Ring as EngineRing

/** Topologies of every kind of structure; [TopologyTest] has what all of them have in common. */
class StructuresTopologyTest {
    @RegisterExtension
    val temp = TempBus()

    @JvmRecord
    private data class Tick(val time: Long, val price: Double)

    @JvmRecord
    private data class Turned(val price: Double, val time: Long)

    @JvmRecord
    private data class Page(@Length(2000) val text: String)

    private object State : Atomics("state") {
        val ready = int("ready")
        val over = boolean("over")
    }

    private fun topology() = bus("plant") {
        hugePages = true
        val failed = queue<Tick>("failed") {
            capacity = 64
            maxMessage = 1.KiB
        }
        val jobs = queue<Tick>("jobs") {
            capacity = 256
            maxMessage = 1.KiB
            roles = 10
            deliveries = 5
            deadLetters = failed
        }
        queue("texts", Codec.Text) {
            redelivers = false
            maxMessage = 80.bytes
        }
        queue("notes", Codec.Text) { maxMessage = 100.bytes }
        val ticks = topic<Tick>("ticks") { ring = 64.KiB }
        latest<Tick>("price") { writers = 2 }
        latest("headline", Codec.Text) {
            maxValue = 99.bytes
            readers = 5
        }
        ring<Tick>("samples") { capacity = 1000 }
        atomics(State)
        records<Tick>("stats", 16)
        numbers("grid", Float::class, 1024)
        route(ticks, jobs) { it }
    }

    @Test
    fun eachStructureEqualsTheOneThatIsSpecifiedInJava() {
        val records = Records.of(MethodHandles.lookup(), Tick::class.java)
        val policy = DeliveryPolicy.redeliver().atMost(5).deadLetters("failed")
        val spec = SegmentSpec.of(
            records.declare(EngineQueue.spec("failed", 64, 1024)),
            records.declare(EngineQueue.spec("jobs", 256, 1024, policy, 10)),
            EngineQueue.spec("texts", 1024, 80, DeliveryPolicy.drop()),
            EngineQueue.spec("notes", 1024, 100),
            records.declare(Broadcast.spec("ticks", 64 * 1024)),
            records.declare(EngineLatest.spec("price", 16, 2, EngineLatest.DEFAULT_READERS)),
            EngineLatest.spec("headline", 99, 1, 5),
            EngineRing.spec("samples", 1000, records),
            EngineAtomics.spec("state", "int ready", "boolean over"),
            RecordArray.spec("stats", 16, records),
            NumberArray.spec("grid", 1024, Float::class.javaPrimitiveType),
        ).withHugePages()
        assertEquals(spec, topology().toSpec())
    }

    @Test
    fun itIsDrawnAsText() = assertEquals(
        """
        bus "plant": 64 participants, removed when unused, 1156 KiB, huge pages
          senders   -> ["failed"   64 messages of 1 KiB] -> consumers
          senders   -> ["jobs"     256 messages of 1 KiB] -> consumers, delivered up to 5 times, then to "failed"
          senders   -> ["texts"    1024 messages of 80 bytes] -> consumers, dropped if they fail
          senders   -> ["notes"    1024 messages of 100 bytes] -> consumers
          sender    -> ["ticks"    64 KiB] -> 64 receivers
          2 writers -> ["price"    latest value of 16 bytes] -> 63 readers
          writer    -> ["headline" latest value of 99 bytes] -> 5 readers
          sender    -> ["samples"  1000 elements of 16 bytes] -> receiver
          anybody   -> ["state"    2 atomics, 128 bytes] -> anybody
          anybody   -> ["stats"    16 records, 256 bytes] -> anybody
          anybody   -> ["grid"     1024 floats, 4 KiB] -> anybody
          route "ticks" -> "jobs"
        """.trimIndent(),
        topology().toString(),
    )

    @Test
    fun itIsDrawnAsAMermaidFlowchart() {
        val lines = topology().toMermaid().lines()
        val failed = "  e0i([\"senders\"]) --> e0[\"failed: 64 messages of 1 KiB\"] --> e0o([\"consumers\"])"
        assertEquals(listOf("flowchart LR", failed), lines.take(2))
        assertEquals(14, lines.size)
        assertEquals(listOf("  e1 -.->|dead letters| e0"), lines.filter { "dead" in it })
        assertEquals("  e4 -->|route| e1", lines.last())
    }

    @Test
    fun itsSegmentIsCreatedAsItWasDeclaredAndSaysWhoUsesIt() {
        val labelled = bus("labelled") {
            label = "the feed"
            queue<Tick>("jobs")
        }
        labelled.open(temp.directory).use { bus ->
            assertEquals(listOf("the feed"), bus.segment.participants().map { it.label() })
        }
    }

    @Test
    fun everyFaultOfEveryStructureIsFoundWithItsPlace() {
        val elsewhere = WorkQueue<Tick>("elsewhere")
        val invalid = assertThrows(InvalidTopologyException::class.java) {
            bus("plant") {
                label = "x".repeat(33)
                queue<Tick>("jobs") {
                    capacity = 100
                    maxMessage = 2.GiB
                    roles = 1
                    deliveries = 0
                }
                queue<Tick>("short") { maxMessage = 15.bytes }
                queue<Tick>("lost") { deadLetters = elsewhere }
                queue<Tick>("once") {
                    redelivers = false
                    deliveries = 3
                }
                queue<Tick>("dropping") { dropsDeadLetters = true }
                latest("price", Codec.Text) {
                    maxValue = 0.bytes
                    readers = 0
                }
                ring<Tick>("samples") { capacity = 0 }
                atomics(object : Atomics("state") {
                    val wrong = int("a b")
                })
                records<Tick>("-stats", 0)
                numbers("grid", Short::class, 10)
            }
        }
        val expected =
            listOf(
                "queue \"jobs\": capacity=100 is not a power of two from 1 to",
                "queue \"jobs\": maxMessage=2147483648 is not between 1 and 1073741824",
                "queue \"jobs\": roles=1 is not between 2 and 1024",
                "queue \"jobs\": deliveries=0 must be at least 1",
                "queue \"short\": record Tick has 16 bytes, and entry \"short\" carries at most 15",
                "queue \"lost\": deadLetters=\"elsewhere\" gets nothing without a limit: set deliveries",
                "queue \"once\": deliveries=3 has no meaning with redelivers=false, which delivers once",
                "queue \"dropping\": dropsDeadLetters=true needs deadLetters",
                "latest \"price\": maxValue=0 is not between 1 and 1073741824",
                "latest \"price\": writers=1 and readers=0 are not at least 1 each, and at most 1024 together",
                "ring \"samples\": capacity=0 is not between 1 and",
                "atomics \"state\": cells[0]=\"int a b\" is not one of the types",
                "records \"-stats\": name=\"-stats\" is no name",
                "records \"-stats\": length=0 is not between 1 and",
                "numbers \"grid\": type=short is none of long, double, int and float",
                "queue \"lost\": deadLetters: there is no \"elsewhere\" in this bus",
                "label=\"${"x".repeat(33)}\" has 33 bytes; 32 are possible, and no control characters",
            )
        val found = invalid.faults.map { "$it".removePrefix("bus \"plant\"").removePrefix(" / ").removePrefix(": ") }
        assertEquals(expected.size, found.size, "$found")
        assertEquals(expected, found.zip(expected) { text, beginning -> text.take(beginning.length) })
    }

    @Test
    fun deadLettersLeadToAQueueThatCanTakeThemAndNotBack() {
        val a = WorkQueue<Tick>("a")
        val b = WorkQueue<Tick>("b")
        val small = WorkQueue("small", Codec.Bytes)
        val others = WorkQueue<Turned>("others")
        fun BusBuilder.leading(from: WorkQueue<*>, to: WorkQueue<*>, bytes: Int = 16) = queue(from) {
            maxMessage = bytes.bytes
            deliveries = 2
            deadLetters = to
        }
        fun faults(declare: BusBuilder.() -> Unit) =
            assertThrows(InvalidTopologyException::class.java) { bus("letters", declare) }.faults.map { "$it" }
        assertEquals(
            listOf("a" to "b", "b" to "a").map { (from, to) ->
                "bus \"letters\" / queue \"$from\": deadLetters: those of \"$to\" lead back here"
            },
            faults {
                leading(a, b)
                leading(b, a)
            },
        )
        assertEquals(
            listOf(
                "bus \"letters\" / queue \"a\": deadLetters: messages of \"small\" have up to 8 bytes, these up to 16" +
                    " bytes",
            ),
            faults {
                leading(a, small)
                queue(small) { maxMessage = 8.bytes }
            },
        )
        assertEquals(
            listOf("bus \"letters\" / queue \"a\": deadLetters: \"small\" is no work queue"),
            faults {
                leading(a, small)
                topic("small")
            },
        )
        assertEquals(
            listOf("bus \"letters\" / queue \"a\": deadLetters: \"others\" carries other records"),
            faults {
                leading(a, others)
                queue(others)
            },
        )
        bus("letters") {
            leading(a, small)
            queue(small)
        }
    }

    @Test
    fun anEndpointHasRoomForItsLargestRecord() {
        val roomy = bus("roomy") {
            endpoint<Tick, Page>("pages")
            endpoint<Page, Tick>("prices") { maxReply = 16.bytes }
        }
        val records = listOf(Page::class.java, Tick::class.java).map { Records.of(MethodHandles.lookup(), it) }
        val (page, tick) = records.map { it.types().single().sizeBytes() }
        assertTrue(page > 1024 && tick == 16)
        val specs = listOf(EngineEndpoint.of("pages", 1024, page), EngineEndpoint.of("prices", page, 16))
        assertEquals(SegmentSpec.of(specs.map { it.spec() }), roomy.toSpec())
        val invalid = assertThrows(InvalidTopologyException::class.java) {
            bus("narrow") {
                endpoint<Page, Tick>("prices") {
                    maxRequest = 1.KiB
                    maxReply = 15.bytes
                }
            }
        }
        assertEquals(
            listOf(
                "maxRequest=1024 is less than the $page bytes of the largest record",
                "maxReply=15 is less than the 16 bytes of the largest record",
            ).map { "bus \"narrow\" / endpoint \"prices\": $it" },
            invalid.faults.map { "$it" },
        )
    }
}
