/**
 * Bywash in an OSGi container: the queues of this host as services.
 *
 * <pre>
 *  bus directory          bundle io.bywash.osgi                         other bundles
 *
 *  segment file ---observe---&gt; discovery ----------registers----------&gt; {@link io.bywash.osgi.BroadcastService}
 *       |  ^                       |
 *       |  +-------creates---- configuration io.bywash.queue
 *       +---------attach-----------+---feeds--------------------------&gt; {@link io.bywash.osgi.QueueListener}
 * </pre>
 *
 * <p>A queue is a service as long as its segment exists and its owner lives, see
 * {@link io.bywash.osgi.BroadcastService}. A bundle that only wants the messages registers a
 * {@link io.bywash.osgi.QueueListener}. All names of properties and configurations are in
 * {@link io.bywash.osgi.BywashConstants}. The shell command {@code bywash:queues} lists everything.
 */
@Capability(namespace = "osgi.implementation", name = BywashConstants.IMPLEMENTATION_NAME,
    version = BywashConstants.IMPLEMENTATION_VERSION)
@Capability(namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.bywash.osgi.BroadcastService\"")
@Version("0.1.0")
package io.bywash.osgi;

import org.osgi.annotation.bundle.Capability;
import org.osgi.annotation.versioning.Version;
