package io.bywash.engine;

import java.nio.file.Path;

/** A program that uses a segment in every way and prints what it is told; for tests that run it as another user. */
public final class PermissionProbe {
  private PermissionProbe() {}

  /** With the segment's file, and one in a directory that it may not write to. */
  public static void main(String[] arguments) {
    Path segment = Path.of(arguments[0]);
    Path elsewhere = Path.of(arguments[1]);
    print("attach", () -> Segment.attach(segment, 0));
    print("open", () -> Segment.open(segment, SegmentSpec.of()));
    print("observe", () -> Segment.observe(segment));
    print("create", () -> Segment.create(elsewhere, SegmentSpec.of()));
  }

  private interface Use {
    Segment open();
  }

  private static void print(String what, Use use) {
    try (Segment segment = use.open()) {
      System.out.println(what + " works: " + segment.name());
    } catch (BusException refused) {
      System.out.println(what + " " + refused.getClass().getSimpleName() + ": " + refused.getMessage());
    }
  }
}
