/** One attachment of this process to a segment: its memory, open roles and rows, and how it is closed. */
package io.bywash.engine.internal.attachment;
