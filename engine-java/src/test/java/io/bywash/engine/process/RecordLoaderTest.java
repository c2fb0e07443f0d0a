package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A program that is loaded into a process, sends records, and is thrown out again, as a container does. */
@Tag("once")
@Timeout(120)
class RecordLoaderTest {
  @RegisterExtension final TempBus bus = new TempBus();

  /** Defines what the tests have of it by itself. */
  private static final class Loader extends ClassLoader {
    Loader() {
      super("records", RecordLoaderTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(RecordUser.class.getName())) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        return loaded != null ? loaded : define(name);
      }
    }

    private Class<?> define(String name) {
      try {
        byte[] bytes = Files.readAllBytes(
            Path.of(ChildProcess.root(RecordUser.class), name.replace('.', '/') + ".class"));
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }

  @Test
  void theEngineKeepsNothingOfARecordClassWhileItsSegmentIsInUse() throws Exception {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("trades", 4096));
    try (Segment segment = Segment.create(bus.path("loader"), spec)) {
      Entry entry = segment.directory().find("trades", Kind.BROADCAST);
      WeakReference<ClassLoader> loader = use(entry);
      Threads.await(() -> {
        System.gc();
        return loader.get() == null;
      }, "the class loader to be collected");
    }
  }

  @SuppressWarnings("unchecked")
  private static WeakReference<ClassLoader> use(Entry entry) throws Exception {
    ClassLoader loader = new Loader();
    Class<?> type = loader.loadClass(RecordUser.class.getName());
    assertNotSame(RecordUser.class, type);
    assertEquals("sent", ((UnaryOperator<Object>) type.getConstructor().newInstance()).apply(entry));
    return new WeakReference<>(loader);
  }
}
