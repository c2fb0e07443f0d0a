package io.bywash.osgi.internal.queue;

import io.bywash.osgi.BywashConstants;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Option;

/** Describes the keys that the configurations of all kinds have, for tools. */
public interface QueueKeys {
  /** See {@link BywashConstants#SEGMENT}. */
  @AttributeDefinition(name = "Segment",
      description = "The segment's name. It is created if there is none of that name.")
  String bywash_segment();

  /** See {@link BywashConstants#QUEUE}. */
  @AttributeDefinition(name = "Name", description = "The name of what is created, unique in its segment.")
  String bywash_queue();

  /** See {@link BywashConstants#LIFETIME}. */
  @AttributeDefinition(name = "Lifetime", required = false, defaultValue = BywashConstants.LIFETIME_WHILE_USED,
      description = "When the segment is removed. A change replaces it.", options = {
      @Option(value = BywashConstants.LIFETIME_WHILE_USED, label = "by the last living participant"),
      @Option(value = BywashConstants.LIFETIME_KEPT, label = "on purpose only")})
  String bywash_lifetime();

  /** See {@link BywashConstants#SPARE_BYTES}. */
  @AttributeDefinition(name = "Spare bytes", required = false, min = "0",
      defaultValue = "" + BywashConstants.DEFAULT_SPARE_BYTES,
      description = "If the segment is created: room for what is added later. A segment never grows.")
  long bywash_spare_bytes();

  /** See {@link BywashConstants#DIRECTORY}. */
  @AttributeDefinition(name = "Bus directory", required = false,
      description = "The directory of the segment. Empty for the standard one: $BYWASH_DIR, else below /dev/shm.")
  String bywash_directory();

  /** How tools name a configuration. */
  @AttributeDefinition(name = "Name hint", required = false, defaultValue = "{bywash.segment} {bywash.queue}")
  String webconsole_configurationFactory_nameHint();
}
