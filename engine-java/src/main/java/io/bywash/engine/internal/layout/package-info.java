/** The bytes that all kinds have in common, as docs/SPEC.md has them: offsets, owner words, names, labels. */
package io.bywash.engine.internal.layout;
