package io.bywash.samples.bench

import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** The middle of some numbers and its bounds. */
class CenterTest {
    @Test
    fun boundsLeaveOutAsManyMeansOfPairsAsTheRankTestDoes() {
        check(10.5, 7.5, 13.5, (1..20).map { it.toDouble() }) // the 53rd of 210 means from either end
    }

    @Test
    fun aNumberFarFromTheOthersHardlyCounts() {
        check(10.5, 7.5, 14.0, (1..19).map { it.toDouble() } + 1_000.0)
    }

    @Test
    fun theOrderOfTheNumbersDoesNotCount() {
        check(10.5, 7.5, 13.5, (1..20).map { it.toDouble() }.shuffled(Random(1)))
    }

    @Test
    fun oneNumberIsItsOwnMiddle() {
        check(3.0, 3.0, 3.0, listOf(3.0))
    }

    private fun check(value: Double, low95: Double, high95: Double, numbers: List<Double>) {
        val center = Center.of(numbers)
        assertEquals(listOf(value, low95, high95), listOf(center.value, center.low95, center.high95))
    }
}
