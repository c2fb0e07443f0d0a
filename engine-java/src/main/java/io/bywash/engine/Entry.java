package io.bywash.engine;

import java.util.Optional;

/**
 * One row of a segment's directory: a structure that exists there. Roles are taken from it, for example with
 * {@code Publisher.open(entry)}. Implemented by the engine only; any thread may use it.
 */
public interface Entry {
  /** Its name, unique in the segment. */
  String name();

  /** What it is; {@link Kind#UNKNOWN} when this version does not know. */
  Kind kind();

  /** How much it holds, in the structure's unit (broadcast: bytes of the ring). */
  long capacity();

  /** Size of one element in bytes, or the largest size of a message. */
  long elementSizeBytes();

  /** Fingerprint of the element's layout; 0 for plain bytes. */
  long fingerprint();

  /** The element's layout, see {@link EntrySpec#layout}; empty for plain bytes. */
  String layout();

  /** Bytes that it takes in the segment. */
  long sizeBytes();

  /**
   * The participant that this entry stands and falls with: of a broadcast, the holder of its writer role, else its
   * creator. Empty when that one has left and its slot was taken by another.
   */
  Optional<Participant> owner();
}
