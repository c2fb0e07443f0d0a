package io.bywash.samples.circularbuffer;

/** What the writer sent, and what two readers and the one that was stopped saw. */
record Outcome(long ringBytes, Counts sent, Counts first, Counts second, Counts stopped) {
  private static final String TEXT = "%,d messages, %,d bytes, %d corrupt, %,d lost, ended with %d%n";
  private static final String JSON = "{\"messages\": %d, \"bytes\": %d, \"corrupt\": %d, \"lost\": %d, \"exit\": %d}";

  /** Whether two readers saw exactly what was sent, and the third one an intact beginning and then its loss. */
  boolean isOk() {
    return sent.messages() > 0 && sent.exitCode() == 0 && first.equals(sent) && second.equals(sent)
        && stopped.exitCode() == 1 && stopped.corrupt() == 0 && stopped.lost() > 0
        && stopped.messages() + stopped.lost() <= sent.messages();
  }

  String toText() {
    return String.format("ring      %,d bytes%n", ringBytes) + "sent      " + sent.format(TEXT)
        + "reader 1  " + first.format(TEXT) + "reader 2  " + second.format(TEXT) + "reader 3  " + stopped.format(TEXT)
        + (isOk() ? "two readers saw every byte, and the one that was overtaken said so" : "NOT OK");
  }

  String toJson() {
    String template = "{\"ok\": %b, \"ringBytes\": %d, \"sent\": %s, \"readers\": [%s, %s], \"overtaken\": %s}";
    return String.format(template, isOk(), ringBytes,
        sent.format(JSON), first.format(JSON), second.format(JSON), stopped.format(JSON));
  }
}
