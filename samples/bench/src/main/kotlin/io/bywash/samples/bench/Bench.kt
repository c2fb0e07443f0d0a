package io.bywash.samples.bench

import java.util.Locale

object Bench {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val size = arguments.getOrNull(0)?.toInt() ?: 64
        val filter = Regex(arguments.getOrNull(1) ?: ".*")
        val rounds = arguments.getOrNull(2)?.toInt() ?: 9
        Workspace().use { workspace ->
            val medium = workspace.start(contender("aeron.tryClaim"), Policy.SPIN, size, 8L shl 20, 1)
            medium.ask("medium")
            medium.ask("serve 1")
            val lanes = CONTENDERS.flatMap { c -> c.policies.map { Setting(c, it, size, 8L shl 20) } }
                .filter { filter.matches(it.contender.name + "." + it.policy.key) }
            val open = lanes.map {
                val lane = Lane(workspace, it)
                val t0 = System.nanoTime()
                lane.open()
                System.err.println("open took ${(System.nanoTime() - t0) / 1000000}")
                val rate = lane.warmUp(1_500_000_000)
                System.err.println("warm: ${it.contender.name} ${it.policy.key} ${(rate / 1e6)}")
                lane to rate
            }
            val results = open.map { ArrayList<Double>() }
            repeat(rounds) {
                open.forEachIndexed { index, (lane, rate) ->
                    val typical = results[index].sorted().getOrNull(results[index].size / 2) ?: rate
                    results[index] += lane.stream(lane.limited((typical * 0.3).toLong())).rate / 1e6
                }
            }
            open.forEachIndexed { index, (lane, _) ->
                val sorted = results[index].sorted()
                println(String.format(Locale.ROOT, "%-18s %-10s median %8.2f  min %8.2f  max %8.2f slow %d", lane.setting.contender.name, lane.setting.policy.key,
                    sorted[sorted.size / 2], sorted[0], sorted.last(), sorted.count { it < sorted[sorted.size / 2] / 2 }))
            }
        }
    }
}
