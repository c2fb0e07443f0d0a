package io.bywash.samples.circularbuffer;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/** The command line. */
final class Options {
  private static final String HELP = """
      usage: bywash circular-buffer [OPTION...]

      A writer sends messages of 1 to 65,535 random bytes round and round a ring. Two readers, in processes of their
      own, check every byte. A third one is stopped until it was overtaken, says so and ends with 1.

        --json          what was counted as one line on the standard output, everything else on the standard error
        --ring-mib N    size of the ring in MiB, rounded up to a power of two; 1 to 1000 (default: 50)
        --laps N        how many times the writer goes round the ring; 1 to 1000 (default: 4)
        --sabotage HOW  corrupt flips a bit of one message on its way, drop leaves one out: both are noticed
        --help          this text

      Ends with 0 if everything was seen as it should be, with 1 if not, with 2 if it was called wrongly.""";

  private static final String WRONG = "circular-buffer: %s. 'bywash circular-buffer --help' lists the options.";

  boolean json;
  String ringMebibytes = "50";
  String laps = "4";
  String sabotage = "none";

  /** Ends the program if there is nothing more to do. */
  Options(String... arguments) {
    Queue<String> rest = new ArrayDeque<>(List.of(arguments));
    for (String option = rest.poll(); option != null; option = rest.poll()) {
      switch (option) {
        case "--json" -> json = true;
        case "--ring-mib" -> ringMebibytes = value(option, rest.poll(), "[1-9][0-9]{0,2}|1000", "1 to 1000");
        case "--laps" -> laps = value(option, rest.poll(), "[1-9][0-9]{0,2}|1000", "1 to 1000");
        case "--sabotage" -> sabotage = value(option, rest.poll(), "corrupt|drop", "corrupt or drop");
        case "-h", "--help" -> end(0, HELP);
        default -> end(2, WRONG.formatted("there is no option " + option));
      }
    }
  }

  private static String value(String option, String text, String pattern, String wanted) {
    if (text == null || !text.matches(pattern)) {
      end(2, WRONG.formatted(option + " takes " + wanted + ", not " + (text == null ? "nothing" : text)));
    }
    return text;
  }

  private static void end(int exitCode, String text) {
    (exitCode == 0 ? System.out : System.err).println(text);
    System.exit(exitCode);
  }
}
