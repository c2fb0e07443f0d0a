package io.bywash.samples.demo

/**
 * What a terminal of [columns] shows of [output], and what scrolled out of it at the top: lines, wrapped where they are
 * too long. It knows the escape sequences that move a cursor and erase, skips colours, and fails at any other.
 */
class Screen(private val columns: Int, output: String) {
    val lines = mutableListOf(StringBuilder())

    /** How often a line was too long. */
    var wraps = 0
        private set

    /** How often the cursor went up, to draw a line anew. */
    var redraws = 0
        private set

    private var row = 0
    private var column = 0

    init {
        var index = 0
        while (index < output.length) {
            val sequence = ESCAPE.matchAt(output, index)
            if (sequence != null) {
                obey(sequence.groupValues[2], sequence.groupValues[1].toIntOrNull())
                index += sequence.value.length
            } else {
                put(output[index++])
            }
        }
    }

    private fun put(character: Char) {
        check(character != ESC) { "an escape sequence that this terminal does not know" }
        when (character) {
            '\n' -> moveTo(row + 1, 0)
            '\r' -> column = 0
            else -> {
                if (column == columns) {
                    wraps++
                    moveTo(row + 1, 0)
                }
                val line = lines[row]
                while (line.length <= column) {
                    line.append(' ')
                }
                line.setCharAt(column++, character)
            }
        }
    }

    private fun obey(command: String, number: Int?) {
        when (command) {
            "m" -> Unit
            "A" -> { // cursor up
                redraws++
                row = maxOf(row - (number ?: 1), 0)
            }
            "F" -> { // to the start of a line further up
                redraws++
                moveTo(maxOf(row - (number ?: 1), 0), 0)
            }
            "G" -> column = (number ?: 1) - 1
            "K" -> lines[row].setLength(minOf(lines[row].length, column))
            "J" -> {
                check((number ?: 0) == 0) { "erases what is above" }
                lines[row].setLength(minOf(lines[row].length, column))
                lines.subList(row + 1, lines.size).clear()
            }
            else -> error("an escape sequence that this terminal does not know: ESC [ $number $command")
        }
    }

    private fun moveTo(newRow: Int, newColumn: Int) {
        row = newRow
        column = newColumn
        while (lines.size <= row) {
            lines += StringBuilder()
        }
    }

    override fun toString() = lines.joinToString("\n") { it.trimEnd() }

    companion object {
        const val ESC = '\u001b'

        private val ESCAPE = Regex("$ESC\\[(\\d*)(?:;\\d+)*([A-Za-z])")
    }
}
