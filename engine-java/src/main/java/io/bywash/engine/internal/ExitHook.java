package io.bywash.engine.internal;

import io.bywash.engine.internal.attachment.Failures;
import io.bywash.engine.internal.linux.EngineThread;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;

/**
 * Lets the participants of this process leave when the JVM ends in good order (its last thread ended,
 * {@code System.exit}, SIGTERM, Ctrl-C), though nobody closed their segments.
 *
 * <p>The hook is registered while there is a participant. {@code -Dbywash.exit.hook=off} forgoes it, and so does an
 * engine that belongs to an OSGi bundle, whose end is the bundle's.
 */
final class ExitHook {
  private static final boolean WANTED = !"off".equals(System.getProperty("bywash.exit.hook")) && !belongsToBundle();

  /** Guarded by itself, as is the thread. */
  private static final Set<SegmentCore> PARTICIPANTS = Collections.newSetFromMap(new WeakHashMap<>());
  private static Thread registered;

  private ExitHook() {}

  private static boolean belongsToBundle() {
    ClassLoader loader = ExitHook.class.getClassLoader();
    for (Class<?> type = loader == null ? null : loader.getClass(); type != null; type = type.getSuperclass()) {
      for (Class<?> face : type.getInterfaces()) {
        if (face.getName().equals("org.osgi.framework.BundleReference")) { // by name: the engine has no dependency
          return true;
        }
      }
    }
    return false;
  }

  /** A participant has joined. */
  static void add(SegmentCore participant) {
    if (!WANTED) {
      return;
    }
    synchronized (PARTICIPANTS) {
      PARTICIPANTS.add(participant);
      if (registered == null) {
        Thread hook = EngineThread.unstarted("bywash-exit", ExitHook::leaveAll);
        try {
          Runtime.getRuntime().addShutdownHook(hook);
          registered = hook;
        } catch (IllegalStateException ending) {
          // it joined while the JVM ends: whoever finds its lock free knows
        }
      }
    }
  }

  /** A participant has left. */
  static void remove(SegmentCore participant) {
    synchronized (PARTICIPANTS) {
      PARTICIPANTS.remove(participant);
      if (PARTICIPANTS.isEmpty() && registered != null) {
        try {
          Runtime.getRuntime().removeShutdownHook(registered); // or it would keep this class loader
        } catch (IllegalStateException ending) {
          // the hook runs already
        }
        registered = null;
      }
    }
  }

  private static void leaveAll() {
    List<SegmentCore> all;
    synchronized (PARTICIPANTS) {
      all = List.copyOf(PARTICIPANTS);
    }
    leave(all);
  }

  /** Leaves all of them, even if leaving some of them fails. */
  static void leave(List<SegmentCore> all) {
    Failures failures = new Failures();
    all.forEach(participant -> failures.collect(participant::leaveAtExit));
    failures.rethrow();
  }
}
