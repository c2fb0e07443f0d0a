/** The list of all kinds of structures. It depends on their packages; only the engine's public entry points use it. */
package io.bywash.engine.internal.kinds;
