/**
 * What all structures share: the segment's own words, participants and proof of death, the name directory, roles,
 * record framing, waiting. Not visible outside of the engine.
 */
package io.bywash.engine.internal;
