/**
 * The entry point to the engine. A {@link io.bywash.engine.Segment} is a file of shared memory. Its
 * {@link io.bywash.engine.Directory} names the structures in it. Each {@link io.bywash.engine.Entry} is one of these,
 * from which roles are taken.
 *
 * <pre>
 *  Segment.open -> Directory.find(name, kind) -> role -> claim ... commit -> poll(handler, limit)
 * </pre>
 */
@Version("0.1.0")
package io.bywash.engine;

import org.osgi.annotation.versioning.Version;
