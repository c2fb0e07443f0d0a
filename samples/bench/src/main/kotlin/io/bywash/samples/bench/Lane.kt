package io.bywash.samples.bench

/** What the harness knows about one run: who, how, and with what. */
data class Setting(val contender: Contender, val policy: Policy, val sizeBytes: Int, val ringBytes: Long, val readers: Int = 1)

/** One round: messages received a second, over all readers, and how many were lost. */
class Round(val rate: Double, val received: Long, val lost: Long)

/** One system under one policy with its processes, from start to end. */
class Lane(private val workspace: Workspace, val setting: Setting) : AutoCloseable {
    private val contender = setting.contender
    private val writer = start()
    private val readers = if (contender.crossesProcesses) List(setting.readers) { start() } else List(setting.readers) { writer }
    private var next = 0L

    private fun start() =
        workspace.start(contender, setting.policy, setting.sizeBytes, setting.ringBytes, setting.readers)

    fun open() {
        val channel = workspace.nextChannel()
        writer.ask("writer $channel")
        readers.forEach { it.ask("reader $channel") }
        writer.ask("connect")
    }

    /** Streams so many messages from the writer to all readers. */
    fun stream(count: Long): Round {
        val from = next
        val until = from + count
        next = until
        val answers = if (contender.crossesProcesses) {
            for (reader in readers) {
                reader.tell("receive $from $until")
            }
            readers.forEach { it.line() }
            writer.tell("send $from $until")
            listOf(writer.answer()) + readers.map { it.answer() }
        } else {
            writer.tell("stream $from $until")
            readers.forEach { it.line() }
            writer.line().split(" | ").map { Answer(it) }
        }
        val sent = answers[0]
        val read = answers.drop(1)
        for (answer in read) {
            if (contender.isLossless && answer.long("sum") != sent.long("sum")) {
                throw BenchFailure("${contender.name}: the writer's checksum is ${sent.long("sum")}, a reader's ${answer.long("sum")}")
            }
        }
        val received = read.sumOf { it.long("received") }
        val nanos = read.maxOf { it.long("end") } - sent.long("start")
        return Round(received * 1e9 / nanos, received, count * readers.size - received)
    }

    /** Streams until everything is compiled; returns the messages a second. */
    fun warmUp(nanos: Long): Double {
        var count = 10_000L
        var rate = 0.0
        val start = System.nanoTime()
        while (System.nanoTime() - start < nanos) {
            val before = System.nanoTime()
            stream(count)
            rate = count * 1e9 / (System.nanoTime() - before)
            count = limited(minOf(count * 4, (rate * 0.3).toLong()))
        }
        return rate
    }

    /** As many messages as a round may have. */
    fun limited(count: Long) = count.coerceIn(1000, maxOf(1000, contender.maxRoundBytes / setting.sizeBytes))

    override fun close() {
        (listOf(writer) + readers).distinct().forEach { it.close() }
    }
}
