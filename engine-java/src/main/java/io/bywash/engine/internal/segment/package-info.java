/** The tables of one segment: its header and its participants. */
package io.bywash.engine.internal.segment;
