package io.bywash.osgi.it;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.wiring.FrameworkWiring;

/**
 * A real container in this process, with the built bundles in it and a small one of the tests. The framework comes from
 * a class loader of its own; the types of bundles are not those of the test, so it speaks to them by types of the JDK.
 */
final class Container implements AutoCloseable {
  /** How long to wait for what has to happen. Nothing asserts that it takes less. */
  static final Duration DEADLINE = Duration.ofSeconds(60);

  /** Where the build puts the jars: felix, equinox, bywash, bundles, and those that single tests install. */
  static final Path DIRECTORY = Path.of(System.getProperty("bywash.test.containers"));

  private static final Path BUNDLE = DIRECTORY.resolve("bywash/bywash-osgi.jar");
  private static final String TEST_PACKAGE = "io/bywash/osgi/it/bundle";

  private final Path storage;
  private final URLClassLoader loader;
  private final Framework framework;
  private Bundle testBundle;
  private Bundle bywash;

  private Container(Path storage, URLClassLoader loader, Framework framework) {
    this.storage = storage;
    this.loader = loader;
    this.framework = framework;
  }

  private void installAll() throws BundleException, IOException {
    framework.start();
    installFolder("bundles");
    installBywash();
    testBundle = installAnother("io.bywash.osgi.it");
  }

  /** Installs and starts all bundles of a folder. */
  void installFolder(String folder) throws BundleException, IOException {
    List<Bundle> bundles = new ArrayList<>();
    for (Path jar : jars(folder)) {
      bundles.add(context().installBundle(jar.toUri().toString()));
    }
    for (Bundle bundle : bundles) {
      bundle.start();
    }
  }

  /** Installs and starts a bundle of the tests' classes under a name of its own. */
  Bundle installAnother(String symbolicName) throws BundleException, IOException {
    Path jar = testBundle(storage.resolve(symbolicName + ".jar"), symbolicName);
    Bundle another = context().installBundle(jar.toUri().toString());
    another.start();
    return another;
  }

  /** Starts the framework whose jars are in the folder {@code name}. */
  static Container start(String name) throws Exception {
    URL[] urls = jars(name).stream().map(Container::url).toArray(URL[]::new);
    URLClassLoader loader = new URLClassLoader(urls, Container.class.getClassLoader());
    Path storage = Files.createTempDirectory("bywash-" + name);
    Framework framework = ServiceLoader.load(FrameworkFactory.class, loader).findFirst().orElseThrow().newFramework(
        Map.of(Constants.FRAMEWORK_STORAGE, storage.resolve("bundles").toString(), "felix.log.level", "1",
            "org.apache.felix.log.maxSize", "0")); // its history would keep services that have gone
    Container container = new Container(storage, loader, framework);
    try {
      container.installAll();
      return container;
    } catch (BundleException | IOException failure) {
      container.close();
      throw failure;
    }
  }

  private static List<Path> jars(String folder) throws IOException {
    try (Stream<Path> jars = Files.list(DIRECTORY.resolve(folder))) {
      return jars.sorted().toList();
    }
  }

  private static URL url(Path jar) {
    try {
      return jar.toUri().toURL();
    } catch (MalformedURLException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  private static Manifest manifest(String symbolicName) {
    Manifest manifest = new Manifest();
    Attributes headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.putValue(Constants.BUNDLE_MANIFESTVERSION, "2");
    headers.putValue(Constants.BUNDLE_SYMBOLICNAME, symbolicName);
    return manifest;
  }

  /** Installs and starts a bundle of one text, for an extender that reads it. */
  Bundle installText(String symbolicName, String extender, String file, String text)
      throws BundleException, IOException {
    Manifest manifest = manifest(symbolicName);
    manifest.getMainAttributes().putValue(Constants.REQUIRE_CAPABILITY,
        "osgi.extender;filter:=\"(osgi.extender=" + extender + ")\"");
    Path jar = storage.resolve(symbolicName + ".jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      out.putNextEntry(new JarEntry(file));
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    Bundle bundle = context().installBundle(jar.toUri().toString());
    bundle.start();
    return bundle;
  }

  private static Path testBundle(Path jar, String symbolicName) throws IOException {
    Manifest manifest = manifest(symbolicName);
    manifest.getMainAttributes().putValue(Constants.IMPORT_PACKAGE,
        "org.osgi.framework,io.bywash.osgi;version=\"[0.1,1)\",io.bywash.engine,io.bywash.engine.broadcast,"
            + "io.bywash.engine.call,io.bywash.engine.cell,io.bywash.engine.pool,io.bywash.engine.queue,"
            + "io.bywash.engine.record,io.bywash.engine.ring,io.bywash.engine.wait");
    Path classes = Path.of(System.getProperty("bywash.test.classes"));
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
        Stream<Path> files = Files.list(classes.resolve(TEST_PACKAGE))) {
      for (Path file : files.toList()) {
        out.putNextEntry(new JarEntry(classes.relativize(file).toString()));
        Files.copy(file, out);
      }
    }
    return jar;
  }

  /** Installs and starts the bundle under test, as it is at first. */
  void installBywash() throws BundleException {
    bywash = context().installBundle(BUNDLE.toUri().toString());
    bywash.start();
  }

  /** Updates the bundle under test from its jar, refreshes and starts it. */
  void updateBywash() throws BundleException {
    bywash.update();
    refresh();
    bywash.start();
  }

  /** The bundle of that name. */
  Bundle bundle(String symbolicName) {
    return Arrays.stream(context().getBundles()).filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
        .findFirst().orElseThrow();
  }

  /** Refreshes what was updated or uninstalled, now or before, and whoever is wired to it; waits for that. */
  void refresh() {
    CountDownLatch refreshed = new CountDownLatch(1);
    framework.adapt(FrameworkWiring.class).refreshBundles(null, event -> refreshed.countDown());
    awaitUntil("a refresh", () -> refreshed.getCount() == 0);
  }

  /** The bundle under test. */
  Bundle bywash() {
    return bywash;
  }

  BundleContext context() {
    return framework.getBundleContext();
  }

  /** An object of a class in the test's bundle. */
  Object create(String simpleName, Object... arguments) throws ReflectiveOperationException {
    return create(testBundle, simpleName, arguments);
  }

  /** An object of a class in that bundle, which is of the tests' classes. */
  static Object create(Bundle bundle, String simpleName, Object... arguments) throws ReflectiveOperationException {
    Class<?> type = bundle.loadClass(TEST_PACKAGE.replace('/', '.') + "." + simpleName);
    return type.getConstructors()[0].newInstance(arguments);
  }

  /** Registers a service as the test's bundle. */
  ServiceRegistration<?> register(String type, Object service, Map<String, Object> properties) {
    return register(testBundle, type, service, properties);
  }

  /** Registers a service as that bundle. */
  static ServiceRegistration<?> register(Bundle bundle, String type, Object service, Map<String, Object> properties) {
    return bundle.getBundleContext().registerService(type, service, FrameworkUtil.asDictionary(properties));
  }

  /** The context of the test's bundle. */
  BundleContext testContext() {
    return testBundle.getBundleContext();
  }

  /** The one service of that type which matches now. */
  Optional<ServiceReference<?>> find(String type, String filter) {
    return services(type, filter).findFirst();
  }

  /** How many services of that type match now. */
  long count(String type, String filter) {
    return services(type, filter).count();
  }

  private Stream<ServiceReference<?>> services(String type, String filter) {
    try {
      ServiceReference<?>[] found = context().getAllServiceReferences(type, filter);
      return found == null ? Stream.empty() : Arrays.stream(found);
    } catch (InvalidSyntaxException wrong) {
      throw new AssertionError(wrong);
    }
  }

  /** The service of that type, which has to come. */
  Object await(String type) {
    return context().getService(await("service " + type, () -> find(type, null)));
  }

  /** The text that a command of the Gogo shell returns. */
  String execute(String command) throws ReflectiveOperationException {
    return inSession(session -> (String) call(session, "execute", command));
  }

  /** What the shell shows of what a command returns. */
  String show(String command) throws ReflectiveOperationException {
    return inSession(session -> call(session, "format", call(session, "execute", command), 0).toString());
  }

  private interface Use {
    String with(Object session) throws ReflectiveOperationException;
  }

  /** An open session has a thread, which keeps the class loader of the last command's bundle for a minute. */
  private String inSession(Use use) throws ReflectiveOperationException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Object session = call(await("org.apache.felix.service.command.CommandProcessor"), "createSession",
        InputStream.nullInputStream(), out, out);
    try {
      return use.with(session);
    } finally {
      call(session, "close");
    }
  }

  /** Calls a public method of an object whose type this class does not know. */
  static Object call(Object target, String name, Object... arguments) throws ReflectiveOperationException {
    for (Class<?> type : interfaces(target.getClass())) {
      for (Method method : type.getMethods()) {
        if (method.getName().equals(name) && accepts(method, arguments)) {
          return method.invoke(target, arguments);
        }
      }
    }
    throw new NoSuchMethodException(target.getClass() + "." + name + Arrays.toString(arguments));
  }

  private static List<Class<?>> interfaces(Class<?> type) {
    List<Class<?>> found = new ArrayList<>(List.of(type.getInterfaces()));
    return type.getSuperclass() == null ? found
        : Stream.concat(found.stream(), interfaces(type.getSuperclass()).stream()).toList();
  }

  private static boolean accepts(Method method, Object... arguments) {
    Class<?>[] types = method.getParameterTypes();
    if (types.length != arguments.length) {
      return false;
    }
    for (int index = 0; index < types.length; index++) {
      if (arguments[index] != null && !types[index].isInstance(arguments[index])
          && !(types[index] == int.class && arguments[index] instanceof Integer)) {
        return false;
      }
    }
    return true;
  }

  /** Waits until there is a result. */
  static <T> T await(String what, Supplier<Optional<T>> look) {
    long start = System.nanoTime();
    while (true) {
      Optional<T> found = look.get();
      if (found.isPresent()) {
        return found.get();
      }
      if (System.nanoTime() - start > DEADLINE.toNanos()) {
        throw new AssertionError("waited " + DEADLINE.toSeconds() + " s in vain: " + what);
      }
      try {
        Thread.sleep(5);
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
    }
  }

  /** Waits until it is so. */
  static void awaitUntil(String what, BooleanSupplier condition) {
    await(what, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty());
  }

  @Override
  public void close() throws BundleException, IOException {
    framework.stop();
    try {
      framework.waitForStop(DEADLINE.toMillis());
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
    loader.close();
    try (Stream<Path> files = Files.walk(storage)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
