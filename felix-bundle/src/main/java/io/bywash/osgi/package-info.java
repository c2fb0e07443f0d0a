/**
 * Bywash in an OSGi container: the structures of this host as services.
 *
 * <pre>
 *  bus directory          bundle bywash-osgi                            other bundles
 *
 *  segment file ---observe---&gt; discovery ----------registers----------&gt; {@link io.bywash.osgi.StructureService}
 *       |  ^                       |
 *       |  +-------creates---- configuration io.bywash.queue
 *       +---------attach-----------+---feeds--------------------------&gt; {@link io.bywash.osgi.QueueListener}
 * </pre>
 *
 * <p>A structure is a service as long as its segment exists and its owner lives, see
 * {@link io.bywash.osgi.StructureService}. A bundle that only wants what is sent registers a
 * {@link io.bywash.osgi.QueueListener}, a {@link io.bywash.osgi.WorkQueueConsumer} or a
 * {@link io.bywash.osgi.CallResponder}. All names of properties and configurations are in
 * {@link io.bywash.osgi.BywashConstants}. The shell commands {@code bywash:ls}, {@code stat} and {@code tail} show
 * everything, and so does the service {@link io.bywash.osgi.runtime.BywashRuntime}.
 */
@Capability(namespace = "osgi.implementation", name = BywashConstants.IMPLEMENTATION_NAME,
    version = BywashConstants.IMPLEMENTATION_VERSION)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.bywash.osgi.BroadcastService\"",
    uses = BroadcastService.class)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.bywash.osgi.WorkQueueService\"",
    uses = WorkQueueService.class)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.bywash.osgi.EndpointService\"",
    uses = EndpointService.class)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.bywash.osgi.RingService\"",
    uses = RingService.class)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.bywash.osgi.LatestService\"",
    uses = LatestService.class)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.bywash.osgi.CellsService\"",
    uses = CellsService.class)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.bywash.osgi.PoolService\"",
    uses = PoolService.class)
@Capability(namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.bywash.osgi.runtime.BywashRuntime\"", uses = BywashRuntime.class)
@Requirement(namespace = "osgi.extender", name = "osgi.component", version = "1.5.0")
@Requirement(namespace = "osgi.implementation", name = "osgi.cm", version = "1.6.0")
@Requirement(namespace = "osgi.service", filter = "(objectClass=io.bywash.osgi.QueueListener)",
    effective = "active", cardinality = Requirement.Cardinality.MULTIPLE, resolution = Requirement.Resolution.OPTIONAL)
@Requirement(namespace = "osgi.service", filter = "(objectClass=io.bywash.osgi.WorkQueueConsumer)",
    effective = "active", cardinality = Requirement.Cardinality.MULTIPLE, resolution = Requirement.Resolution.OPTIONAL)
@Requirement(namespace = "osgi.service", filter = "(objectClass=io.bywash.osgi.CallResponder)",
    effective = "active", cardinality = Requirement.Cardinality.MULTIPLE, resolution = Requirement.Resolution.OPTIONAL)
@Requirement(namespace = "osgi.service", filter = "(objectClass=io.bywash.osgi.RecordResponder)",
    effective = "active", cardinality = Requirement.Cardinality.MULTIPLE, resolution = Requirement.Resolution.OPTIONAL)
@Requirement(namespace = "osgi.service", filter = "(objectClass=io.bywash.osgi.RecordConsumer)",
    effective = "active", cardinality = Requirement.Cardinality.MULTIPLE, resolution = Requirement.Resolution.OPTIONAL)
@Requirement(namespace = "osgi.service", filter = "(objectClass=io.bywash.osgi.RecordListener)",
    effective = "active", cardinality = Requirement.Cardinality.MULTIPLE, resolution = Requirement.Resolution.OPTIONAL)
@Version("0.1.0")
package io.bywash.osgi;

import io.bywash.osgi.runtime.BywashRuntime;
import org.osgi.annotation.bundle.Capability;
import org.osgi.annotation.bundle.Requirement;
import org.osgi.annotation.versioning.Version;
