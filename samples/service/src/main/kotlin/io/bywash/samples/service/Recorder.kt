package io.bywash.samples.service

import io.bywash.bus.Bus
import io.bywash.bus.queue.consumer
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.APPEND
import java.nio.file.StandardOpenOption.CREATE

/** Appends each order to a file. */
internal object Recorder {
    suspend fun run(bus: Bus, file: Path) {
        val consumer = bus.consumer(orders)
        consumer.label("recorder")
        Files.newBufferedWriter(file, CREATE, APPEND).use { writer ->
            consumer.consume { order ->
                writer.append("${order.quote},${order.quantity},${order.cents}\n")
                writer.flush() // an order is acknowledged when it stands in the file
            }
        }
    }

    @JvmStatic
    fun main(arguments: Array<String>) = serve { run(it, Path.of(arguments[0])) }
}
