/** What this process has of one segment while it is attached: its memory, open roles, rows, and the way out. */
package io.bywash.engine.internal.attachment;
