package io.bywash.engine.record;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.record.ClaimView;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.record.Component.Form;
import java.lang.foreign.StructLayout;
import java.util.stream.Collectors;

/**
 * One record class of a {@link Records}. Any thread may use it.
 *
 * @param <T> the record class
 */
public final class RecordType<T> {
  private final Class<T> type;
  private final int number;
  private final Shape shape;
  private final int sizeBytes;
  private final RecordCodec codec;

  RecordType(Class<T> type, int number, Shape shape, RecordCodec codec) {
    this.type = type;
    this.number = number;
    this.shape = shape;
    this.sizeBytes = shape.sizeBytes();
    this.codec = codec;
  }

  /** The record class. */
  public Class<T> type() {
    return type;
  }

  /** The {@linkplain io.bywash.engine.Message#type type} of its messages. */
  public int number() {
    return number;
  }

  /** The size of its messages in bytes. */
  public int sizeBytes() {
    return sizeBytes;
  }

  /**
   * The layout of its messages, for example for {@code VarHandle}s on a
   * {@link io.bywash.engine.Message#asSegment message} or a {@link Claim#asSegment claim}.
   */
  public StructLayout layout() {
    return shape.layout();
  }

  /**
   * A field for access to one number in place.
   *
   * @param name a component that is a primitive or an enum; {@code price.units} for a component of a record within the
   *     record
   * @throws IllegalArgumentException when there is no such component; the message lists those that exist
   */
  public Field field(String name) {
    Shape in = shape;
    int offset = 0;
    String[] path = name.split("\\.", -1);
    for (int i = 0; ; i++) {
      Component found = find(in, path[i], name);
      offset += found.offset();
      if (i == path.length - 1 && !found.isArray() && found.form() != Form.STRING && found.form() != Form.RECORD) {
        return new Field(name, found.type(), offset);
      }
      if (i == path.length - 1 || found.isArray() || found.form() != Form.RECORD) {
        throw new IllegalArgumentException("name=" + name + ": " + found + " is " + found.text()
            + (i == path.length - 1 ? ", and not one number" : ", and has no components"));
      }
      in = found.shape();
    }
  }

  private static Component find(Shape shape, String component, String name) {
    return shape.components().stream().filter(each -> each.name().equals(component)).findFirst()
        .orElseThrow(() -> new IllegalArgumentException("name=" + name + ": record " + shape.name() + " has "
            + shape.components().stream().map(Component::name).collect(Collectors.joining(", "))));
  }

  /**
   * Fills a claim of {@link #sizeBytes} bytes with a record. Bytes between components become zero.
   *
   * @throws IllegalArgumentException when the claim has another length, when a string or array is longer than its
   *     {@link Length}, or when a component is null; some bytes may have been written then
   * @throws IndexOutOfBoundsException when the claim is no longer open
   */
  public void write(Claim claim, T record) {
    if (!(claim instanceof ClaimView view)) {
      throw new IllegalArgumentException("claim=" + claim + " is no claim of this engine");
    }
    long at = view.placeOf(sizeBytes);
    if (at < 0) {
      throw new IllegalArgumentException("claim has " + view.length() + " bytes, and record " + shape.name() + " needs "
          + sizeBytes);
    }
    write(view.region(), at, record);
  }

  /**
   * For the engine's own use: writes a record to a region in which its role has made sure that there is room.
   */
  @SuppressWarnings("exports")
  public void write(Region region, long at, T record) {
    codec.write(region, at, record);
  }

  /** The record in a message whose type was already checked. */
  T read(MessageView message) {
    long at = message.placeOf(sizeBytes);
    if (at < 0) {
      throw new RecordFormatException("message " + message.sequence() + " has " + message.length() + " bytes, and is"
          + " no " + shape.name() + " of " + sizeBytes);
    }
    return read(message.region(), at, message.sequence());
  }

  /**
   * Reads the record at a place whose bounds the caller has checked. Users have no region.
   *
   * @param sequence what the exception calls it by
   * @throws RecordFormatException when there is no such record
   */
  @SuppressWarnings({"exports", "unchecked"}) // the codec creates records of this type
  public T read(Region region, long at, long sequence) {
    try {
      return (T) codec.read(region, at);
    } catch (RuntimeException impossible) {
      throw failed(sequence, impossible);
    }
  }

  private RecordFormatException failed(long sequence, RuntimeException failure) {
    return failure instanceof RecordFormatException
        ? new RecordFormatException("message " + sequence + ": " + failure.getMessage())
        : new RecordFormatException("message " + sequence + " holds what record " + shape.name() + " refuses: "
            + failure, failure);
  }

  Shape shape() {
    return shape;
  }

  @Override
  public String toString() {
    return number + " " + sizeBytes + " " + shape.name();
  }
}
