/**
 * Broadcast: one publisher, many subscribers, every subscriber sees every message.
 *
 * <pre>
 *                                     +--> subscriber "block": reads in place, holds the publisher back
 *  publisher --> [ ring of records ] -+--> subscriber "block": each has its own position
 *      ^                              +--> subscriber "skip":  reads copies, is told what it lost
 *      +--- no further than the slowest "block" subscriber
 * </pre>
 *
 * <p>Guarantees: messages arrive in order, each once, numbered without gaps. Nothing half-written is ever seen, even if
 * the publisher is killed; its successor goes on at the next sequence. A subscriber that is killed holds nobody back.
 */
@Version("0.1.0")
package io.bywash.engine.broadcast;

import org.osgi.annotation.versioning.Version;
