/** What the engine tells Java Flight Recorder, where that is there. */
package io.bywash.engine.internal.events;
