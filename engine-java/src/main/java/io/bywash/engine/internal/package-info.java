/**
 * One attachment of this process to one segment, and segments by name. Below it, each with a package of its own, are
 * the jobs that all kinds of structures share. Not visible outside of the engine.
 */
package io.bywash.engine.internal;
