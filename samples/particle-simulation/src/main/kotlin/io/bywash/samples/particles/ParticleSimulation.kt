package io.bywash.samples.particles

import io.bywash.engine.BusException
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.samples.kit.Programs
import java.io.File
import java.io.IOException
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.LockSupport

/** The command line. */
class Options(arguments: Array<String>) {
    private val rest = Programs.options(HELP, *arguments)
    val json = rest.remove("--json")
    val frames: String = Programs.take(rest, "--frames", "PARTICLE_FRAMES", "300", "[6-9]\\d|[1-9]\\d{2,5}")
    val png: String = Programs.take(rest, "--png", "", "", ".*")
    val sabotage: String = Programs.take(rest, "--sabotage", "", "none", "none|gravity|leak")
    val max: String = rest.removeFirstOrNull() ?: System.getenv("MAX_PARTICLES") ?: "10000"

    init {
        require(max.matches(Regex("[1-9]\\d{2,5}|1000000"))) { "$max is not a number of particles from 100 to 1000000" }
        Programs.requireNoMore(rest)
    }

    private companion object {
        const val HELP = """usage: bywash particle-simulation [MAX_PARTICLES] [OPTION...]

One process lets particles fly: several threads move those in a pool, release the ones whose time is over, and send new
ones after them into the same slots. Another one draws each frame that is new to it, and checks that all fall as they
have to. MAX_PARTICLES is 10000 if neither it nor the environment's MAX_PARTICLES is given.

  --frames N      how many frames, of 1/60 s; from 60 on; 300, or PARTICLE_FRAMES
  --png FILE      writes a picture of the last frame into this file
  --json          what was counted as one line on the standard output, everything else on the standard error
  --sabotage HOW  gravity is that of the moon, leak forgets to release a particle: both are noticed
  --help          this text

Ends with 0 if all was as it has to be, with 1 if not, with 2 if it was called wrongly."""
    }
}

/** Starts the simulation as another process, draws what it does, and adds up. */
object ParticleSimulation {
    private val SEGMENT = "particle-simulation-${ProcessHandle.current().pid()}"
    private val LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100)

    @JvmStatic
    fun main(arguments: Array<String>) {
        val options = try {
            Options(arguments)
        } catch (wrong: IllegalArgumentException) {
            return Programs.endWrongly("particle-simulation", wrong)
        }
        Programs.leaveNothing(SEGMENT)
        var outcome = Outcome()
        try {
            outcome = View(options.json).use { run(options, it) }
            (if (options.json) System.err else System.out).println(outcome.toText())
        } catch (failure: IOException) {
            System.err.println("particle-simulation: ${failure.message}")
        } catch (failure: BusException) {
            System.err.println("particle-simulation: ${failure.message}")
        } catch (failure: IllegalStateException) {
            System.err.println("particle-simulation: ${failure.message}")
        }
        Programs.end(options.json, outcome.toJson(), outcome.isOk)
    }

    private fun run(options: Options, view: View): Outcome {
        val simulation = Programs.start(Simulation::class.java, SEGMENT, options.max, options.frames, options.sabotage)
        return attach(simulation).use { segment ->
            val renderer = Renderer(segment)
            while (!renderer.isOver) {
                check(simulation.isAlive) { "the simulation ended with ${simulation.exitValue()}" }
                renderer.newFrame()?.let { view.show(renderer.frame, it) } ?: LockSupport.parkNanos(1_000_000)
            }
            val last = renderer.look() // nothing moves any more
            view.show(renderer.frame, last)
            if (options.png.isNotEmpty()) {
                Picture.write(last, File(options.png))
            }
            val refusal = renderer.refusal()
            view.line("an older program: $refusal")
            val allocated = renderer.allocated.toLong()
            val isOlderRefused = refusal.orEmpty().contains("field lifetime")
            renderer.release()
            check(simulation.waitFor() == 0) { "the simulation failed" }
            outcome(segment, renderer, options.max.toLong(), last.size.toLong(), allocated, isOlderRefused)
        }
    }

    /** Finds the segment by its name, as soon as the simulation has made it. */
    private fun attach(simulation: Process): Segment {
        while (true) {
            try {
                return Segment.attach(SEGMENT, LOOK_NANOS)
            } catch (missing: SegmentNotFoundException) {
                check(simulation.isAlive) { "the simulation ended with ${simulation.exitValue()}: ${missing.message}" }
            }
        }
    }

    private fun outcome(
        segment: Segment, renderer: Renderer, max: Long, living: Long, allocated: Long, isOlderRefused: Boolean,
    ): Outcome = segment.atomics("counts").use { counts ->
        fun count(name: String) = counts.longCell(name).get()
        Outcome(max, renderer.frame, count("spawned"), count("exhausted"), count("released"), count("refused"),
            count("unequal"), renderer.framesSeen, renderer.particlesSeen, renderer.gone, renderer.wrong,
            renderer.active.toLong(), allocated, living, isOlderRefused)
    }
}
