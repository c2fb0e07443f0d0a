/**
 * The only code that reads and writes mapped memory: plain and atomic accesses, and copies.
 *
 * <p>There are two back-ends, chosen once for the whole process by
 * {@link io.bywash.engine.internal.memory.NativeAccess}: raw addresses over one static segment that spans all memory
 * (fast, needs native access), and ordinary bounds-checked segments (when native access is denied). Both sit behind
 * {@link io.bywash.engine.internal.memory.Region}.
 */
package io.bywash.engine.internal.memory;
