/** The one place that knows all kinds of structures. Above the structures; used by the engine's front door only. */
package io.bywash.engine.internal.kinds;
