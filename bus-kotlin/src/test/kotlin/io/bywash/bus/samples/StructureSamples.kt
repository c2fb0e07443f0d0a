package io.bywash.bus.samples

import io.bywash.bus.KiB
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.bus
import io.bywash.bus.call.Endpoint
import io.bywash.bus.call.caller
import io.bywash.bus.call.endpoint
import io.bywash.bus.call.serve
import io.bywash.bus.cell.Atomics
import io.bywash.bus.cell.Latest
import io.bywash.bus.cell.atomics
import io.bywash.bus.cell.get
import io.bywash.bus.cell.latest
import io.bywash.bus.cell.open
import io.bywash.bus.cell.reader
import io.bywash.bus.cell.records
import io.bywash.bus.cell.writer
import io.bywash.bus.onReceive
import io.bywash.bus.pool.Pool
import io.bywash.bus.pool.open
import io.bywash.bus.pool.pool
import io.bywash.bus.pool.user
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.consumer
import io.bywash.bus.queue.onConsume
import io.bywash.bus.queue.queue
import io.bywash.bus.ring.Ring
import io.bywash.bus.ring.ring
import io.bywash.bus.ring.sender
import io.bywash.engine.record.Length
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select

@JvmRecord
data class Job(val id: Long, @Length(24) val name: String)

@JvmRecord
data class Quote(val time: Long, val price: Double)

val jobs = WorkQueue<Job>("jobs")
val failed = WorkQueue<Job>("failed")
val quotes = Topic<Quote>("quotes")
val price = Latest<Quote>("price")
val history = Ring<Quote>("history")

object State : Atomics("state") {
    val workersReady = int("workersReady")
    val shutdown = boolean("shutdown")
}

val plant = bus("plant") {
    label = "plant"
    queue(failed) { capacity = 64 }
    queue(jobs) {
        capacity = 256
        deliveries = 5
        deadLetters = failed
    }
    topic(quotes) { ring = 64.KiB }
    latest(price)
    ring(history) { capacity = 1_000 }
    atomics(State)
    records<Quote>("closing", length = 16)
    route(quotes, history) { flow -> flow.map { it.copy(price = it.price / 100) } }
}

suspend fun consumeJobs(directory: Path? = null): List<Long> = plant.use(directory) { bus ->
    val done = mutableListOf<Long>()
    val sender = bus.sender(jobs)
    val worker = launch {
        bus.consumer(jobs).consume { job -> // acknowledged when this block returns
            check(job.name != "impossible") { "given back, since this throws" }
            done += job.id
        }
    }
    sender.send(Job(1, "possible"))
    sender.send(Job(2, "also possible"))
    while (done.size < 2) kotlinx.coroutines.yield()
    worker.cancel()
    done
}

@OptIn(ExperimentalCoroutinesApi::class) // onTimeout
suspend fun selectOverAQueue(directory: Path? = null): String = plant.use(directory) { bus ->
    val consumer = bus.consumer(jobs)
    val receiver = bus.receiver(quotes)
    bus.sender(jobs).send(Job(7, "fetch"))
    select {
        onConsume(consumer) { job -> "job ${job.id}" }
        onReceive(receiver) { quote -> "quote ${quote.price}" }
        onTimeout(30.seconds) { "nothing" }
    }
}

suspend fun followAPrice(directory: Path? = null): Double = plant.use(directory) { bus ->
    launch {
        val writer = bus.writer(price)
        for (time in 1L..100) writer.set(Quote(time, time / 2.0))
    }
    bus.reader(price).updates().first { it.time == 100L }.price
}

suspend fun countInCells(directory: Path? = null): Int = plant.use(directory) { bus ->
    val state = bus.open(State)
    state[State.workersReady].getAndAdd(1)
    state[State.shutdown].set(true)
    state[State.workersReady].get()
}

suspend fun keepTheNewest(directory: Path? = null): Long = plant.use(directory) { bus ->
    bus.sender(history, overwrites = true).sendAll(List(1_500) { Quote(it.toLong(), 1.0) })
    val receiver = bus.receiver(history)
    val oldest = receiver.receiveResult() // the first 500 were overwritten
    check(oldest.isLost && receiver.lostCount == 500L)
    receiver.batches(max = 100).first().first().time
}

@JvmRecord
data class Question(val instrument: Int)

val priceOf = Endpoint<Question, Quote>("priceOf")
val players = Pool<Quote>("players")

val office = bus("office") {
    endpoint(priceOf) { redelivers = true }
    pool(players) { capacity = 100 }
}

suspend fun callForAPrice(directory: Path? = null): Double = office.use(directory) { bus ->
    launch {
        bus.serve(priceOf, workers = 4) { question -> Quote(1, question.instrument * 2.0) }
    }
    bus.caller(priceOf).call(Question(21), timeout = 30.seconds).price
}

suspend fun borrowAPlayer(directory: Path? = null): Int = office.use(directory) { bus ->
    val view = bus.open(players)
    bus.user(players).use { user ->
        user.acquire(Quote(1, 99.5)).use { player -> // null when all are in use; released at the end
            player?.set(Quote(2, 99.0))
            view.allocated()
        }
    }
}
