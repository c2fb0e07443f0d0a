package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.cell.Latest;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.QueueKeys;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** A latest value that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.LATEST_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = LatestConfiguration.Config.class, factory = true)
public final class LatestConfiguration extends ConfiguredQueue {
  private static final int MAX_BYTES = 1 << 30;

  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash latest value",
      description = "A latest value that exists as long as this configuration does.")
  interface Config extends QueueKeys {
    /** See {@link BywashConstants#ELEMENT_SIZE}. */
    @AttributeDefinition(name = "Longest value in bytes", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_ELEMENT_SIZE, min = "1",
        description = "Each of its buffers takes as much. A change replaces it.")
    int bywash_element_size();

    /** See {@link BywashConstants#WRITERS}. */
    @AttributeDefinition(name = "Writers", required = false, defaultValue = "1", min = "1", max = "1023",
        description = "The most writers at one time. A change replaces it.")
    int bywash_writers();

    /** See {@link BywashConstants#READERS}. */
    @AttributeDefinition(name = "Readers", required = false,
        defaultValue = "" + Latest.DEFAULT_READERS, min = "1", max = "1023",
        description = "The most readers at one time. A change replaces it.")
    int bywash_readers();
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    int bytes = (int) keys.number(ELEMENT_SIZE, DEFAULT_ELEMENT_SIZE, 1, MAX_BYTES);
    int writers = (int) keys.number(WRITERS, 1, 1, EntrySpec.MAX_ROLES - 1);
    int readers = (int) keys.number(READERS, Latest.DEFAULT_READERS, 1, EntrySpec.MAX_ROLES - 1);
    return Latest.spec(queue, bytes, writers, readers);
  }
}
