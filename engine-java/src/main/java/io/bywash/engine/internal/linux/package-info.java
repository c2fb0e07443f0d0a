/**
 * The only code that calls the operating system: locks, futexes, allocation, process identity; each with a portable
 * fallback for processes without native access.
 */
package io.bywash.engine.internal.linux;
