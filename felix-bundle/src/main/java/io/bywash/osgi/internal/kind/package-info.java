/**
 * The kinds of structures, each with its service, what feeds its consumers if it has some, and its configuration. Types
 * whose names begin alike belong to one kind, and know no other.
 */
package io.bywash.osgi.internal.kind;
