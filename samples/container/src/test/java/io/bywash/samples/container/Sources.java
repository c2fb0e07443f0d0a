package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/** Java sources of one package, made a bundle as a user's build would. */
record Sources(String packageName, List<String> texts) {
  private static final Pattern NAME = Pattern.compile("public class (\\w+)");

  /** Returns the bundle, a jar in that folder. */
  Path build(Path folder) throws Exception {
    Path sources = Files.createDirectories(folder.resolve("sources"));
    Path classes = Files.createDirectories(folder.resolve("classes"));
    List<String> arguments = new ArrayList<>(List.of("-d", classes.toString(), "-cp",
        System.getProperty("java.class.path"), "-proc:none"));
    for (String text : texts) {
      Matcher name = NAME.matcher(text);
      assertTrue(name.find(), text);
      arguments.add(Files.writeString(sources.resolve(name.group(1) + ".java"), text).toString());
    }
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)));
    try (Builder builder = new Builder()) {
      builder.setProperty("Bundle-SymbolicName", packageName);
      builder.setProperty("-includeresource", classes.toString());
      builder.setProperty("-privatepackage", packageName);
      for (String jar : System.getProperty("java.class.path").split(":")) {
        builder.addClasspath(Path.of(jar).toFile());
      }
      Jar jar = builder.build();
      assertEquals(List.of(), builder.getErrors());
      Path file = folder.resolve(packageName + ".jar");
      jar.write(file.toFile());
      return file;
    }
  }
}
