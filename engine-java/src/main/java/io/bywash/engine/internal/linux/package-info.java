/**
 * The only code that calls the operating system: files and directories, locks, futexes, allocation, process identity.
 * What the JDK can do too has a portable fallback for processes without native access.
 */
package io.bywash.engine.internal.linux;
