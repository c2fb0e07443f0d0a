package io.bywash.engine.death;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;

/**
 * A fault that is put into the engine's class files: a store of a method is left out, or done only behind a later one.
 * Used by one {@link Rewriter}.
 */
final class Breakage {
  private static final ClassDesc BROKEN = ClassDesc.of(Broken.class.getName());
  private static final ClassDesc REGION = ClassDesc.of("io.bywash.engine.internal.memory.Region");

  private final String store;
  private final int number;
  private final String until;
  private int seen;
  private boolean done;

  /**
   * A fault.
   *
   * @param store the method with the store, and the region's method that it calls, as {@code Class.method store}
   * @param number which of those calls, from 0
   * @param until behind which call the store is done instead, in the same form; empty to leave it out
   */
  Breakage(String store, int number, String until) {
    this.store = store;
    this.number = number;
    this.until = until;
  }

  /** Writes something else in place of a call; false when that call is to stay. */
  boolean rewrite(MethodModel where, CodeBuilder code, InvokeInstruction call) {
    if (!call.owner().asSymbol().equals(REGION)) {
      return false;
    }
    String type = where.parent().orElseThrow().thisClass().asInternalName();
    String here = type.substring(type.lastIndexOf('/') + 1) + "." + where.methodName().stringValue() + " "
        + call.name().stringValue();
    if (here.equals(store) && seen++ == number) {
      code.invokestatic(BROKEN, until.isEmpty() ? "never" : "later", Rewriter.ofStatic(call));
      done = true;
      return true;
    }
    if (here.equals(until)) {
      code.with(call).invokestatic(ClassDesc.of(Probe.class.getName()), "now", ConstantDescs.MTD_void);
      return true;
    }
    return false;
  }

  /** Whether the fault was put in. */
  boolean isDone() {
    return done;
  }

  @Override
  public String toString() {
    return store + " " + number + (until.isEmpty() ? " left out" : " only after " + until);
  }
}
