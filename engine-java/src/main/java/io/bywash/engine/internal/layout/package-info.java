/** The bytes that all kinds have in common, as docs/SPEC.md defines them: offsets, owner words, names, labels. */
package io.bywash.engine.internal.layout;
