package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.call.Endpoint;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.QueueKeys;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** An endpoint that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.ENDPOINT_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = EndpointConfiguration.Config.class, factory = true)
public final class EndpointConfiguration extends ConfiguredQueue {
  private static final int MAX_BYTES = 1 << 30;
  private static final int MAX_SLOTS = 1024;

  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash endpoint",
      description = "An endpoint that exists as long as this configuration does.")
  interface Config extends QueueKeys {
    /** See {@link BywashConstants#REQUEST_BYTES}. */
    @AttributeDefinition(name = "Largest request in bytes", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_ELEMENT_SIZE, min = "1",
        description = "Each request takes as much. A change replaces it.")
    int bywash_request_bytes();

    /** See {@link BywashConstants#REPLY_BYTES}. */
    @AttributeDefinition(name = "Largest reply in bytes", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_ELEMENT_SIZE, min = "1",
        description = "Each reply takes as much. A change replaces it.")
    int bywash_reply_bytes();

    /** See {@link BywashConstants#CALLERS}. */
    @AttributeDefinition(name = "Callers", required = false, defaultValue = "" + Endpoint.DEFAULT_CALLERS, min = "1",
        description = "The most callers at one time. A change replaces it.")
    int bywash_callers();

    /** See {@link BywashConstants#SLOTS}. */
    @AttributeDefinition(name = "Slots", required = false, defaultValue = "" + Endpoint.DEFAULT_SLOTS, min = "1",
        description = "How many requests of a caller can be in flight, a power of two. A change replaces it.")
    int bywash_slots();

    /** See {@link BywashConstants#RESPONDERS}. */
    @AttributeDefinition(name = "Responders", required = false,
        defaultValue = "" + Endpoint.DEFAULT_RESPONDERS, min = "1",
        description = "The most responders at one time. A change replaces it.")
    int bywash_responders();

    /** See {@link BywashConstants#DELIVERY}. */
    @AttributeDefinition(name = "Delivery", required = false, defaultValue = "fail",
        description = "What becomes of requests of responders that died. A change replaces it.", options = {
        @Option(value = BywashConstants.DELIVERY_FAIL, label = "the call fails"),
        @Option(value = BywashConstants.DELIVERY_REDELIVER, label = "another responder gets it")})
    String bywash_delivery();
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    int requestBytes = (int) keys.number(REQUEST_BYTES, DEFAULT_ELEMENT_SIZE, 1, MAX_BYTES);
    int replyBytes = (int) keys.number(REPLY_BYTES, DEFAULT_ELEMENT_SIZE, 1, MAX_BYTES);
    Endpoint endpoint = Endpoint.of(queue, requestBytes, replyBytes)
        .callers((int) keys.number(CALLERS, Endpoint.DEFAULT_CALLERS, 1, EntrySpec.MAX_ROLES - 1))
        .slots((int) keys.number(SLOTS, Endpoint.DEFAULT_SLOTS, 1, MAX_SLOTS))
        .responders((int) keys.number(RESPONDERS, Endpoint.DEFAULT_RESPONDERS, 1, EntrySpec.MAX_ROLES - 1));
    boolean redelivers = keys.oneOf(DELIVERY, DELIVERY_FAIL, DELIVERY_FAIL, DELIVERY_REDELIVER)
        .equals(DELIVERY_REDELIVER);
    return (redelivers ? endpoint.redelivers() : endpoint).spec();
  }
}
