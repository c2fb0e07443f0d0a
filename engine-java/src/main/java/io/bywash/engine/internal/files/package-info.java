/** Files of segments: the space that they take, and what can go wrong. */
package io.bywash.engine.internal.files;
