/** The files of a bus directory: its lock, hidden files of creators, free space, and what the file system refuses. */
package io.bywash.engine.internal.files;
