/**
 * How to wait: a policy for a thread that waits in one role, and the {@link io.bywash.engine.wait.WaitHub}, one thread
 * of a process that waits for any number of roles at once and completes futures.
 */
@Version("0.1.0")
package io.bywash.engine.wait;

import org.osgi.annotation.versioning.Version;
