package io.bywash.samples.bench

import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** The estimate of some numbers' centre, and its bounds. */
class HodgesLehmannEstimateTest {
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
        val estimate = HodgesLehmannEstimate.of(numbers)
        assertEquals(listOf(value, low95, high95), listOf(estimate.value, estimate.low95, estimate.high95))
    }
}
