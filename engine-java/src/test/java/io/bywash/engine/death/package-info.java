/**
 * Death at every store: what would another process find, had this one been killed at that very point?
 *
 * <p>{@link io.bywash.engine.death.Rewriter} loads the engine's own classes with a call of
 * {@link io.bywash.engine.death.Probe} behind each write to memory and each system call.
 * {@link io.bywash.engine.death.Operations} lists what is tried: what every segment has, and what each kind of
 * structure in {@link io.bywash.engine.subject.Subjects} adds. After each step the bus directory is copied
 * ({@link io.bywash.engine.death.Image}), and the ordinary engine takes over what it finds there
 * ({@link io.bywash.engine.death.Autopsy}). A new operation joins by being added to one of
 * these lists.
 */
package io.bywash.engine.death;
