/**
 * Broadcast: one publisher, many subscribers, every subscriber sees every message.
 *
 * <pre>
 *                                     +--> subscriber "block": reads in place, holds the publisher back
 *  publisher --> [ ring of records ] -+--> subscriber "block": each has its own position
 *      ^                              +--> subscriber "skip":  reads copies, learns what it lost
 *      +--- no further than the slowest "block" subscriber
 * </pre>
 *
 * <p>Messages arrive in order, each exactly once, numbered without gaps. Nobody ever sees a half-written message, even
 * if the publisher is killed; its successor continues at the next sequence. A subscriber that is killed holds nobody
 * back.
 */
@Version("0.1.0")
package io.bywash.engine.broadcast;

import org.osgi.annotation.versioning.Version;
