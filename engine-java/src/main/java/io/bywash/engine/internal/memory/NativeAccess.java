package io.bywash.engine.internal.memory;

/**
 * Decides once whether this process may call native functions and use raw addresses.
 *
 * <p>The engine is granted native access by {@code --enable-native-access=io.bywash.engine} (module path) or
 * {@code =ALL-UNNAMED} (class path and OSGi). {@code -Dbywash.native=off} refuses it on purpose. Nothing here calls a
 * restricted method unless access was granted, so no warning is ever printed.
 */
public final class NativeAccess {
  /** Whether the raw back-end and the system calls are used. A constant for the JIT. */
  public static final boolean ENABLED;

  /** Why native access is not used, as the end of a sentence for the log; empty when it is used. */
  public static final String WHY_NOT;

  static {
    String whyNot = "";
    String architecture = System.getProperty("os.arch", "");
    if (!"Linux".equals(System.getProperty("os.name"))) {
      whyNot = "this is not Linux";
    } else if (!architecture.equals("amd64") && !architecture.equals("aarch64")) {
      whyNot = "the processor is " + architecture + ", not x86-64 or AArch64";
    } else if ("off".equals(System.getProperty("bywash.native"))) {
      whyNot = "-Dbywash.native=off was given";
    } else if (!NativeAccess.class.getModule().isNativeAccessEnabled()) {
      String module = NativeAccess.class.getModule().isNamed() ? NativeAccess.class.getModule().getName()
          : "ALL-UNNAMED";
      whyNot = "the JVM was started without --enable-native-access=" + module;
    }
    ENABLED = whyNot.isEmpty();
    WHY_NOT = whyNot;
    if (!ENABLED) {
      System.getLogger("io.bywash.engine").log(System.Logger.Level.INFO,
          "Bywash works without native access: slower, and waiting parks instead of blocking, because " + whyNot + ".");
    }
  }

  private NativeAccess() {}
}
