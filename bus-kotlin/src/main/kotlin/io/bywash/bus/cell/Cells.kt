package io.bywash.bus.cell

import io.bywash.bus.Bus
import io.bywash.bus.BusBuilder
import io.bywash.bus.Codec
import io.bywash.bus.Declaration
import io.bywash.bus.EntryName
import io.bywash.bus.Faults
import io.bywash.bus.Picture
import io.bywash.bus.Size
import io.bywash.bus.TypedEntry
import io.bywash.bus.recordCodec
import io.bywash.engine.EntrySpec
import io.bywash.engine.Kind
import io.bywash.engine.cell.BooleanCell
import io.bywash.engine.cell.DoubleCell
import io.bywash.engine.cell.IntCell
import io.bywash.engine.cell.LongCell
import io.bywash.engine.cell.NumberArray
import io.bywash.engine.cell.RecordArray
import kotlin.reflect.KClass
import io.bywash.engine.cell.Atomics as EngineAtomics

/**
 * The typed name of an entry of atomic values that all processes share. Its cells are declared by an object, in the
 * same order wherever it is used:
 * ```
 * object State : Atomics("state") {
 *     val workersReady = int("workersReady")
 *     val shutdown = boolean("shutdown")
 * }
 * ```
 *
 * @param name of the entry in the segment; unique there
 * @sample io.bywash.bus.samples.countInCells
 */
public abstract class Atomics(name: String) : EntryName(name) {
    private val declared = mutableListOf<String>()

    /** The cells as the engine declares them, for example `int workersReady`. */
    internal val cells: List<String> get() = declared.toList()

    /** A cell of this entry, as an object of the engine's class [C]. */
    public class Cell<C> internal constructor(internal val open: (EngineAtomics) -> C)

    /** Declares a cell. A name has 1 to 40 characters of `A-Z a-z 0-9 _ $`. */
    protected fun int(name: String): Cell<IntCell> = cell("int $name") { it.intCell(name) }

    /** As [int]. */
    protected fun long(name: String): Cell<LongCell> = cell("long $name") { it.longCell(name) }

    /** As [int]. */
    protected fun double(name: String): Cell<DoubleCell> = cell("double $name") { it.doubleCell(name) }

    /** As [int]. */
    protected fun boolean(name: String): Cell<BooleanCell> = cell("boolean $name") { it.booleanCell(name) }

    private fun <C> cell(declaration: String, open: (EngineAtomics) -> C): Cell<C> {
        declared += declaration
        return Cell(open)
    }

    /** For example `Atomics("state")`. */
    override fun toString(): String = "Atomics(\"$name\")"
}

/** Declares atomics. */
public fun BusBuilder.atomics(atomics: Atomics) {
    declare(CellsDeclaration(atomics, "atomics", "atomics") { EngineAtomics.spec(it, *atomics.cells.toTypedArray()) })
}

/**
 * Begins to use atomics: the engine's object, for one coroutine at a time. `atomics[State.shutdown]` is a cell of it,
 * with `get`, `set`, `getAndAdd`, `compareAndSet`; keep it, since that call looks the cell up by its name. Nothing is
 * taken, and it ends with the bus.
 */
public fun Bus.open(atomics: Atomics): EngineAtomics =
    EngineAtomics.open(segment.directory().find(atomics.name, Kind.CELLS))

/** A cell of atomics that were opened. */
public operator fun <C> EngineAtomics.get(cell: Atomics.Cell<C>): C = cell.open(this)

/**
 * The typed name of an array of records, each of which is read and set as a whole.
 *
 * @param name of the entry in the segment; unique there
 * @param codec of one record class, made by [recordCodec]
 */
public class RecordCells<T : Any>(name: String, codec: Codec<T>) : TypedEntry<T>(name, codec) {
    internal val elements = requireNotNull(records) { "codec=$codec is not one of records" }

    /** For example `RecordCells("stats", Codec of Records[...])`. */
    override fun toString(): String = "RecordCells(\"$name\", $codec)"
}

/** The typed name of an array of records of one class. */
public inline fun <reified T : Record> RecordCells(name: String): RecordCells<T> = RecordCells(name, recordCodec<T>())

/** Declares an array of [length] records of one class, and returns its typed name. */
public inline fun <reified T : Record> BusBuilder.records(name: String, length: Int): RecordCells<T> =
    RecordCells<T>(name).also { records(it, length) }

/** Declares an array of [length] records whose typed name was made elsewhere. */
public fun BusBuilder.records(array: RecordCells<*>, length: Int) {
    declare(CellsDeclaration(array, "records", "records") { RecordArray.spec(it, length, array.elements) })
}

/** Begins to use an array of records: the engine's object, for one coroutine at a time. It ends with the bus. */
public fun <T : Any> Bus.open(array: RecordCells<T>): RecordArray<T> =
    RecordArray.open(segment.directory().find(array.name, Kind.CELLS), array.elements)

/**
 * The typed name of an array of numbers, which are read and set one by one or in bulk.
 *
 * @param name of the entry in the segment; unique there
 * @param type [Long], [Double], [Int] or [Float]
 */
public class NumberCells(name: String, internal val type: KClass<out Number>) : EntryName(name) {
    /** For example `NumberCells("grid", Float)`. */
    override fun toString(): String = "NumberCells(\"$name\", ${type.simpleName})"
}

/** Declares an array of [length] numbers, and returns its typed name. */
public fun BusBuilder.numbers(name: String, type: KClass<out Number>, length: Int): NumberCells =
    NumberCells(name, type).also { numbers(it, length) }

/** Declares an array of [length] numbers whose typed name was made elsewhere. */
public fun BusBuilder.numbers(array: NumberCells, length: Int) {
    val type = array.type.javaPrimitiveType ?: array.type.java
    declare(CellsDeclaration(array, "numbers", "${type.name}s") { NumberArray.spec(it, length, type) })
}

/** Begins to use an array of numbers: the engine's object, for one coroutine at a time. It ends with the bus. */
public fun Bus.open(array: NumberCells): NumberArray =
    NumberArray.open(segment.directory().find(array.name, Kind.CELLS), array.type.javaPrimitiveType)

private class CellsDeclaration(
    entry: EntryName,
    override val kind: String,
    private val elements: String,
    private val make: (String) -> EntrySpec,
) : Declaration(entry) {
    /** The name and the rest are checked one by one. */
    override fun spec(faults: Faults): EntrySpec? =
        spec(faults, { EngineAtomics.spec(entry.name, "int any") }, { make("any") }) { make(entry.name) }

    override fun picture(spec: EntrySpec): Picture {
        val bytes = Size(spec.capacity * spec.elementSizeBytes)
        return Picture(entry.name, "anybody", "${spec.capacity} $elements, $bytes", "anybody")
    }
}
