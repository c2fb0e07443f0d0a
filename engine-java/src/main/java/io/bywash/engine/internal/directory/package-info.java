/** The directory of a segment: finds, adds and removes entries, and defines what each kind of structure provides. */
package io.bywash.engine.internal.directory;
