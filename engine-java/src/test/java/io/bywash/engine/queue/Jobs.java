package io.bywash.engine.queue;

import io.bywash.engine.Message;

/** Messages that show whether they are whole: each byte follows from the number, which is the type. */
final class Jobs {
  private Jobs() {}

  static int length(int number) {
    return 1 + number * 7 % JobScene.MAX_BYTES;
  }

  static byte[] content(int number) {
    byte[] bytes = new byte[length(number)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number * 31 + i * 7);
    }
    return bytes;
  }

  /** What is wrong with a message; null when nothing is. */
  static String fault(Message message) {
    int number = message.type();
    if (number < 0 || message.length() != length(number)) {
      return "message " + number + " has " + message.length() + " bytes";
    }
    for (int i = 0; i < message.length(); i++) {
      if (message.getByte(i) != (byte) (number * 31 + i * 7)) {
        return "message " + number + " is torn";
      }
    }
    return null;
  }
}
