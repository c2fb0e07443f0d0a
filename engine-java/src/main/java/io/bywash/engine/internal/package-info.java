/**
 * Segments by name, and the attachments of this process to them. The packages below do what all kinds of structures
 * share, one job each. Not exported from the engine's module.
 */
package io.bywash.engine.internal;
