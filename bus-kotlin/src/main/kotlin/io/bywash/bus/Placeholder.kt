package io.bywash.bus

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** Temporary: keeps the module building until its first real class is here. */
public object Placeholder {
    /** Emits the numbers below [limit]. */
    public fun numbers(limit: Int): Flow<Int> = flow { repeat(limit) { emit(it) } }
}
