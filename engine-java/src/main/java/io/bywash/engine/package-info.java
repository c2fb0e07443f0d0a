/**
 * The front door: {@link io.bywash.engine.Segment} is a file of shared memory, {@link io.bywash.engine.Directory} the
 * names in it, an {@link io.bywash.engine.Entry} one of the structures, from which roles are taken.
 *
 * <pre>
 *  Segment.open -> Directory.find(name, kind) -> role -> claim ... commit -> poll(handler, limit)
 * </pre>
 */
@Version("0.1.0")
package io.bywash.engine;

import org.osgi.annotation.versioning.Version;
