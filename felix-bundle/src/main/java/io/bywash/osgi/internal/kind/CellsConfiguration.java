package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.NumberArray;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.QueueKeys;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Cells that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.CELLS_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = CellsConfiguration.Config.class, factory = true)
public final class CellsConfiguration extends ConfiguredQueue {
  private static final Map<String, Class<?>> NUMBERS =
      Map.of("long", long.class, "double", double.class, "int", int.class, "float", float.class);
  private static final Pattern ARRAY = Pattern.compile("(long|double|int|float)\\[([1-9][0-9]{0,8})]");

  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash cells", description = "Cells that exist as long as this configuration does.")
  interface Config extends QueueKeys {
    /** See {@link BywashConstants#CELLS}. */
    @AttributeDefinition(name = "Cells", required = true,
        description = "Types and names, as in long count, boolean stop; or an array of numbers, as double[512]. A"
            + " change replaces it.")
    String bywash_cells();
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    String cells = keys.text(CELLS);
    Matcher array = ARRAY.matcher(cells);
    return array.matches() ? NumberArray.spec(queue, Integer.parseInt(array.group(2)), NUMBERS.get(array.group(1)))
        : Atomics.spec(queue, cells.isEmpty() ? new String[] {"long missing"} : cells.split(" *, *"));
  }
}
