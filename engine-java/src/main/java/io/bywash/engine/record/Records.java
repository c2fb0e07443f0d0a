package io.bywash.engine.record;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.record.MessageView;
import java.lang.invoke.MethodHandles.Lookup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The record classes that a queue carries, and how their records become messages. Create it once, keep it in a
 * {@code static final} field, and pass it to roles, for example {@code publisher.offer(TICKS, tick)}. Any thread may
 * use it.
 *
 * <p>Components may be primitives, enums, strings and arrays with a {@link Length}, and records of such components.
 * Strings become UTF-8, padded with zeros. An array that is shorter than its {@link Length} is padded with zeros too,
 * and is read back at full length. Nothing may be null.
 *
 * @param <T> the common type of the records; the record class itself if there is only one
 */
public final class Records<T> {
  private final List<RecordType<? extends T>> types;
  /** The only class; null if there are several. */
  private final RecordType<T> only;
  private final Map<Class<?>, RecordType<T>> byClass;
  private final String text;
  private final long fingerprint;
  private final int mostBytes;

  private Records(List<RecordType<? extends T>> types, RecordType<T> only, Map<Class<?>, RecordType<T>> byClass,
      String text) {
    this.types = List.copyOf(types);
    this.only = only;
    this.byClass = Map.copyOf(byClass);
    this.text = text;
    this.fingerprint = LayoutText.fingerprint(text);
    this.mostBytes = types.stream().mapToInt(RecordType::sizeBytes).max().orElseThrow();
  }

  /**
   * Records of one class. Their messages have type 0.
   *
   * @param lookup {@code MethodHandles.lookup()}, called in a class that may use the record class
   * @throws IllegalArgumentException when a component is not supported; the message names it and lists what is
   *     supported. Also when {@code lookup} cannot use a class that is needed; the message says what to pass
   */
  public static <R extends Record> Records<R> of(Lookup lookup, Class<R> type) {
    return of(lookup, 0, List.of(type));
  }

  /**
   * Records of several classes. Their messages have types 1, 2, and so on, in the order of {@code types}, so append new
   * classes at the end.
   *
   * @param common the common type, best a sealed interface, so that a {@code switch} over it is exhaustive
   * @throws IllegalArgumentException as for {@link #of(Lookup, Class)}, and when there is no class, or one twice
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // only read
  public static <R> Records<R> of(Lookup lookup, Class<R> common, Class<? extends R>... types) {
    return of(lookup, 1, List.of(types));
  }

  @SuppressWarnings("unchecked") // each type only ever gets records of its class
  private static <R> Records<R> of(Lookup lookup, int first, List<Class<? extends R>> classes) {
    Map<Class<?>, Shape> shapes = new LinkedHashMap<>();
    List<RecordType<? extends R>> types = new ArrayList<>();
    Map<Class<?>, RecordType<R>> byClass = new LinkedHashMap<>();
    for (Class<? extends R> type : classes) {
      Shape shape = Shape.of(type, shapes);
      RecordType<? extends R> made =
          new RecordType<>(type, first + types.size(), shape, CodecGenerator.generate(lookup, shape));
      types.add(made);
      if (byClass.put(type, (RecordType<R>) made) != null) {
        throw new IllegalArgumentException("types=" + classes + " has " + type.getName() + " twice");
      }
    }
    if (types.isEmpty()) {
      throw new IllegalArgumentException("types=[] names no record class");
    }
    StringBuilder text = new StringBuilder();
    types.forEach(each -> text.append(each.shape().text(Integer.toString(each.number()))));
    shapes.forEach((type, part) -> text.append(byClass.containsKey(type) ? "" : part.text(LayoutText.PART)));
    return new Records<>(types, types.size() == 1 && first == 0 ? (RecordType<R>) types.getFirst() : null, byClass,
        text.toString());
  }

  /** The record classes, in the order in which they were given. */
  public List<RecordType<? extends T>> types() {
    return types;
  }

  /**
   * The record type of a class.
   *
   * @throws IllegalArgumentException when the class is not one of these
   */
  @SuppressWarnings("unchecked") // it is the type of that class
  public <R extends T> RecordType<R> type(Class<R> type) {
    RecordType<?> found = byClass.get(type);
    if (found == null) {
      throw unknown("type=" + type.getName());
    }
    return (RecordType<R>) found;
  }

  /**
   * The record type of a record.
   *
   * @throws IllegalArgumentException when its class is not one of these
   */
  public RecordType<T> typeOf(T record) {
    RecordType<T> found = only != null && only.type() == record.getClass() ? only : byClass.get(record.getClass());
    if (found == null) {
      throw unknown("record=" + record);
    }
    return found;
  }

  private IllegalArgumentException unknown(String what) {
    return new IllegalArgumentException(what + " is none of these records: " + names());
  }

  private String names() {
    return types.stream().map(RecordType::toString).collect(Collectors.joining(", "));
  }

  /**
   * Reads the record in a message. The caller may keep it.
   *
   * @throws RecordFormatException when the message is not one of these records
   * @throws IndexOutOfBoundsException when the message is no longer valid
   * @throws IllegalArgumentException when {@code message} is not a message of this engine
   */
  public T read(Message message) {
    if (!(message instanceof MessageView view)) {
      throw new IllegalArgumentException("message=" + message + " is no message of this engine");
    }
    int number = view.type();
    if (only != null && number == 0) {
      return only.read(view);
    }
    if (only != null || number < 1 || number > types.size()) {
      throw new RecordFormatException("message " + view.sequence() + " has type " + number + " and " + view.length()
          + " bytes, and is none of these records: " + names());
    }
    return types.get(number - 1).read(view);
  }

  /**
   * A message handler that hands the record in each message to {@code handler}. It throws what {@link #read} throws.
   */
  public MessageHandler handler(RecordHandler<? super T> handler) {
    return new MessageHandler() {
      @Override
      public void onMessage(Message message) {
        if (only != null && message instanceof MessageView view && view.type() == 0) { // one call less to inline
          handler.onRecord(only.read(view));
        } else {
          handler.onRecord(read(message));
        }
      }

      @Override
      public void onLost(long messageCount) {
        handler.onLost(messageCount);
      }
    };
  }

  /** The layout of the records, as text in the form of docs/SPEC.md. */
  public String text() {
    return text;
  }

  /** The fingerprint of the layout, as {@link EntrySpec#fingerprint} and {@link Entry#fingerprint} tell it. */
  public long fingerprint() {
    return fingerprint;
  }

  /**
   * Declares that an entry carries these records and nothing else. Declaring or using it with other records then fails
   * with a {@link SpecMismatchException} that lists each difference.
   *
   * @return a copy of {@code spec} with that declaration
   * @throws IllegalArgumentException when a record is longer than the entry's largest message
   */
  public EntrySpec declare(EntrySpec spec) {
    requireShort(spec.name(), spec.elementSizeBytes());
    return spec.withLayout(text);
  }

  /**
   * Checks that an entry may carry these records: it is declared to, or nothing is declared. Roles check this when they
   * are first used with records.
   *
   * @return the entry
   * @throws SpecMismatchException when the entry is declared to carry other records; the message lists each difference,
   *     with offset, type and name on both sides
   * @throws IllegalArgumentException when nothing is declared, and a record is longer than the entry's largest message
   * @throws DamagedSegmentException when the entry is declared to carry records for which it has no room
   */
  public Entry check(Entry entry) {
    boolean declared = entry.fingerprint() != 0;
    if (declared && entry.fingerprint() != fingerprint) {
      List<String> differences = LayoutText.differences("", entry.layout(), text);
      throw new SpecMismatchException("Entry \"" + entry.name() + "\" is declared to carry other records: ",
          differences);
    }
    if (declared && mostBytes > entry.elementSizeBytes()) {
      throw new DamagedSegmentException("Entry \"" + entry.name() + "\" is damaged: it carries at most "
          + entry.elementSizeBytes() + " bytes, and record " + tooLong(entry.elementSizeBytes())
          + ", which it is declared to carry. Create the segment again when no process needs it.");
    }
    requireShort(entry.name(), entry.elementSizeBytes());
    return entry;
  }

  private void requireShort(String entry, long maxBytes) {
    if (mostBytes > maxBytes) {
      throw new IllegalArgumentException("record " + tooLong(maxBytes) + ", and entry \"" + entry
          + "\" carries at most " + maxBytes);
    }
  }

  /** The first record that is longer than so many bytes; there is one. */
  private String tooLong(long maxBytes) {
    return types.stream().filter(each -> each.sizeBytes() > maxBytes).findFirst()
        .map(each -> each.type().getSimpleName() + " has " + each.sizeBytes() + " bytes").orElseThrow();
  }

  @Override
  public String toString() {
    return "Records[" + names() + "]";
  }
}
