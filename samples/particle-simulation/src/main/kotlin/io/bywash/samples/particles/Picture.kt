package io.bywash.samples.particles

import java.awt.Color
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO
import kotlin.math.floor

/** What a renderer makes of particles: the view from the side, in a terminal or in a file. */
object Picture {
    /** What can be seen, in metres: so far to both sides, and so far up from the floor. */
    private const val HALF_WIDTH = 5f
    private const val HEIGHT = 11f
    private const val SHADES = " .:+*#@"
    private const val PNG_WIDTH = 640
    private const val PNG_HEIGHT = 480

    /** How many particles are in each of [columns] times [rows] fields, row by row from above. */
    private fun count(particles: List<Particle>, columns: Int, rows: Int): IntArray {
        val fields = IntArray(columns * rows)
        for (particle in particles) {
            val column = floor((particle.x / HALF_WIDTH + 1) / 2 * columns).toInt()
            val row = floor((1 - particle.y / HEIGHT) * rows).toInt()
            if (column in 0 until columns && row in 0 until rows) {
                fields[row * columns + column]++
            }
        }
        return fields
    }

    /** As lines of text; the more particles, the darker. */
    fun lines(particles: List<Particle>, columns: Int, rows: Int): List<String> {
        val fields = count(particles, columns, rows)
        val perShade = maxOf(1, particles.size / (columns * rows))
        return List(rows) { row ->
            String(CharArray(columns) { column ->
                SHADES[((fields[row * columns + column] + perShade - 1) / perShade).coerceAtMost(SHADES.length - 1)]
            }).trimEnd()
        }
    }

    /** As a picture: the more particles, the brighter. */
    fun write(particles: List<Particle>, file: File) {
        System.setProperty("java.awt.headless", "true")
        val image = BufferedImage(PNG_WIDTH, PNG_HEIGHT, BufferedImage.TYPE_INT_RGB)
        count(particles, PNG_WIDTH, PNG_HEIGHT).forEachIndexed { field, count ->
            if (count > 0) {
                val color = Color.getHSBColor(0.55f, 1f / count, minOf(1f, 0.6f + 0.2f * count))
                image.setRGB(field % PNG_WIDTH, field / PNG_WIDTH, color.rgb)
            }
        }
        check(ImageIO.write(image, "png", file)) { "this JDK cannot write PNG" }
    }
}
