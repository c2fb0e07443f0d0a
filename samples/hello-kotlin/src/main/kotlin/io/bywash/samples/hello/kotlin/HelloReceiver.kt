package io.bywash.samples.hello.kotlin

import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** Waits for the segment, joins the queue, and prints the first message. */
internal object HelloReceiver {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        hello.attach(60.seconds).use { bus ->
            println(withTimeout(60.seconds) { bus.flow(greetings).first() })
        }
    }
}
