/** What this process has of one segment while it is attached: its memory, open roles and rows, and how it closes. */
package io.bywash.engine.internal.attachment;
