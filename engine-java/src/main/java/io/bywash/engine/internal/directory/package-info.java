/** The names in a segment: looking for one, adding and removing; and what is asked of each kind. */
package io.bywash.engine.internal.directory;
