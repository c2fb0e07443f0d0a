package io.bywash.samples.hello.kotlin

import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking

/** Creates the segment, waits for a receiver, and greets it. */
internal object HelloSender {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        hello.use { bus ->
            val sender = bus.sender(greetings)
            check(sender.awaitReceivers(1, 60.seconds)) { "nobody listened for 60 s; start HelloReceiver elsewhere" }
            val count = sender.receiverCount // before the greeting: who has read it may leave at once
            sender.send("Hello from process ${ProcessHandle.current().pid()}")
            println("greeted $count receiver${if (count == 1) "" else "s"}")
        }
    }
}
