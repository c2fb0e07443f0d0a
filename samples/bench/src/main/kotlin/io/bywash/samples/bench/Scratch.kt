package io.bywash.samples.bench

import java.lang.invoke.MethodHandles
import java.lang.invoke.VarHandle
import java.nio.ByteOrder

/** A message on the heap, for systems, or ways to write, that copy one. */
class Scratch {
    @JvmField
    val bytes: ByteArray = Payload.TEMPLATE.copyOf()

    fun fill(first: Long) {
        if (Payload.IN_WORDS) {
            for (i in 0 until Payload.WORDS) {
                LONGS.set(bytes, i * Long.SIZE_BYTES, Payload.word(first, i))
            }
        } else {
            LONGS.set(bytes, 0, first)
        }
    }

    private companion object {
        @JvmField
        val LONGS: VarHandle = MethodHandles.byteArrayViewVarHandle(LongArray::class.java, ByteOrder.LITTLE_ENDIAN)
    }
}
