/**
 * What an operator can ask: {@link io.bywash.osgi.runtime.BywashRuntime} is a service that tells everything that the
 * shell commands, the health check and the inventory printer show.
 */
@Version("0.1.0")
package io.bywash.osgi.runtime;

import org.osgi.annotation.versioning.Version;
