/**
 * Waiting. A {@link io.bywash.engine.wait.WaitPolicy} says how a thread waits in one role. The
 * {@link io.bywash.engine.wait.WaitHub} is one thread of the process that waits for any number of roles at once and
 * completes futures.
 */
@Version("0.1.0")
package io.bywash.engine.wait;

import org.osgi.annotation.versioning.Version;
