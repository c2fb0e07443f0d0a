/**
 * Calls: requests that get a reply. An endpoint has a name, many callers, and one or several responders that share the
 * work, in any processes.
 *
 * <pre>
 *   Caller --send--&gt;  [ request | reply | claim ]  &lt;--take-- Responder
 *   Caller &lt;--------  [ request | reply | claim ]  &lt;--reply- Responder
 *                       slots of each caller
 * </pre>
 *
 * <p>Any process may be killed or stopped at any instruction. A call ends by its deadline, with its own reply or with
 * the reason why there is none; a reply that is late reaches nobody else. A
 * {@link io.bywash.engine.call.CallServer} has threads that answer, and a {@link io.bywash.engine.call.CallClient} is
 * shared by threads that call.
 */
@Version("0.1.0")
package io.bywash.engine.call;

import org.osgi.annotation.versioning.Version;
