package io.bywash.samples.bench

/** Several writers send to several readers, who take what comes: messages a second, of all together. */
class CompetingLane(workspace: Workspace, setting: Setting, private val writerCount: Int) : Lane(workspace, setting) {
    private val writers = listOf(writer) + List(writerCount - 1) { reader() }
    private val readers = List(setting.readers) { reader() }
    private var next = 0L

    override fun open() {
        val channel = nextChannel()
        writers.forEach { it.ask("writer $channel") }
        readers.forEach { it.ask("reader $channel") }
    }

    override fun move(count: Long): Map<String, Double> {
        val each = count / writerCount
        val parts = List(writerCount) { next + it * each..<next + (it + 1) * each }
        next += each * writerCount
        readers.forEach { it.ask("drain") }
        writers.zip(parts).forEach { (child, part) -> child.tell("send ${part.first} ${part.last + 1}") }
        val sent = writers.map { it.answer() }
        val read = readers.map { it.ask("drained") }
        val received = read.sumOf { it.long("received") }
        if (received != each * writerCount || read.sumOf { it.long("sum") } != sent.sumOf { it.long("sum") }) {
            throw BenchFailure("${setting.label}: not the ${each * writerCount} messages that were sent arrived")
        }
        return mapOf("rate" to received * 1e9 / (read.maxOf { it.long("end") } - sent.minOf { it.long("start") }))
    }
}

/** A reader that holds a message is killed; until another one that waits has it. */
class DeadConsumerLane(workspace: Workspace, setting: Setting) : RecoveryLane(workspace, setting) {
    override fun move(count: Long): Map<String, Double> {
        val victim = reader()
        val heir = reader()
        val channel = nextChannel()
        writer.ask("writer $channel")
        victim.ask("reader $channel")
        heir.ask("reader $channel")
        writer.ask("sendLast 1")
        victim.ask("hold")
        heir.tell("receive 0 1")
        heir.line()
        return afterKill(victim) { heir.answer().long("end") }
    }
}
