package io.bywash.engine;

import java.util.Optional;

/**
 * One live row of a segment's directory, and the structure that it names. Roles are taken from an entry, for example
 * with {@code Publisher.open(entry)}. Implemented by the engine only. Any thread may use it.
 */
public interface Entry {
  /** The name, unique in the segment. */
  String name();

  /** Identifies it in its segment: an entry that was removed, and another that was added under its name, differ. */
  long id();

  /** The kind of structure; {@link Kind#UNKNOWN} when this version does not know it. */
  Kind kind();

  /** How much the structure holds, in the unit of its kind (broadcast: bytes of the ring). */
  long capacity();

  /** The size of one element in bytes, or the largest size of a message. */
  long elementSizeBytes();

  /** The fingerprint of the element's layout, see {@link EntrySpec#fingerprint}; 0 for plain bytes. */
  long fingerprint();

  /** The element's layout, see {@link EntrySpec#layout}; empty for plain bytes. */
  String layout();

  /** How many bytes of the segment the entry takes. */
  long sizeBytes();

  /**
   * The participant on which this entry depends. For a broadcast it is the holder of the publisher role, and for a ring
   * that of the writer role; if nobody holds that, the participant that created the entry. For a work queue, a latest
   * value or an endpoint it is a living participant that holds a role or, if there is none, the creator. For cells it
   * is the creator. Empty when that participant has left and its slot was taken by another.
   */
  Optional<Participant> owner();
}
