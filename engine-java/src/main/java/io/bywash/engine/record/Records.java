package io.bywash.engine.record;

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
 * The record classes whose records a queue carries, and how they become messages. Made once, kept in a
 * {@code static final} field, and handed to roles, for example {@code publisher.offer(TICKS, tick)}. Any thread may use
 * it.
 *
 * <p>Components may be primitives, enums, strings and arrays with a {@link Length}, and records of such components.
 * Strings become UTF-8, padded with zeros; an array that is shorter than its length is padded with zeros, too, and
 * comes back with all its elements. Nothing may be null.
 *
 * @param <T> what the records have in common: the record class itself if there is one only
 */
public final class Records<T> {
  private final List<RecordType<? extends T>> types;
  /** The only one; null if there are several. */
  private final RecordType<T> only;
  private final Map<Class<?>, RecordType<T>> byClass;
  private final String text;

  private Records(List<RecordType<? extends T>> types, RecordType<T> only, Map<Class<?>, RecordType<T>> byClass,
      String text) {
    this.types = List.copyOf(types);
    this.only = only;
    this.byClass = Map.copyOf(byClass);
    this.text = text;
  }

  /**
   * Records of one class. Their messages have type 0.
   *
   * @param lookup {@code MethodHandles.lookup()}, called in a class that may use the record class
   * @throws IllegalArgumentException when a component is not supported: it is named with what is; or when the lookup
   *     cannot use a class that is needed: the message says what to pass
   */
  public static <R extends Record> Records<R> of(Lookup lookup, Class<R> type) {
    return of(lookup, 0, List.of(type));
  }

  /**
   * Records of several classes. Their messages have type 1, 2, and so on, in the order of {@code types}; so a new class
   * goes to the end.
   *
   * @param common what they have in common, best a sealed interface, so that a {@code switch} knows all of them
   * @throws IllegalArgumentException as above, and when there is no class, or one twice
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // only read
  public static <R> Records<R> of(Lookup lookup, Class<R> common, Class<? extends R>... types) {
    return of(lookup, 1, List.of(types));
  }

  @SuppressWarnings("unchecked") // each type is only ever given what is of its class
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

  /** The classes, in the order in which they were given. */
  public List<RecordType<? extends T>> types() {
    return types;
  }

  /**
   * That class.
   *
   * @throws IllegalArgumentException when it is none of these
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
   * The class of that record.
   *
   * @throws IllegalArgumentException when it is none of these
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
   * The record in a message, for the caller to keep.
   *
   * @throws RecordFormatException when the message is no such record
   * @throws IndexOutOfBoundsException when the message is not valid any more
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

  /** A handler of messages that hands over the record in each. */
  public MessageHandler handler(RecordHandler<? super T> handler) {
    return new MessageHandler() {
      @Override
      public void onMessage(Message message) {
        handler.onRecord(read(message));
      }

      @Override
      public void onLost(long messageCount) {
        handler.onLost(messageCount);
      }
    };
  }

  /** What the records consist of, in the text form of docs/SPEC.md. */
  public String text() {
    return text;
  }

  /**
   * The same entry, declared to carry these records and nothing else: who declares or uses it with other ones is
   * refused with a {@link SpecMismatchException} that lists each difference.
   *
   * @throws IllegalArgumentException when a record is longer than the entry's largest message
   */
  public EntrySpec declare(EntrySpec spec) {
    requireShort(spec.name(), spec.elementSizeBytes());
    return spec.withLayout(text);
  }

  /**
   * Looks whether an entry may carry these records: it is declared to, or nothing was declared. Roles do that when they
   * are first used with records.
   *
   * @return the entry
   * @throws SpecMismatchException when it is declared to carry others; each difference is listed, with offset, type and
   *     name as they are there and here
   * @throws IllegalArgumentException when a record is longer than the entry's largest message
   */
  public Entry check(Entry entry) {
    if (entry.fingerprint() != 0 && entry.fingerprint() != LayoutText.fingerprint(text)) {
      List<String> differences = LayoutText.differences("", entry.layout(), text);
      throw new SpecMismatchException("Entry \"" + entry.name() + "\" is declared to carry other records: ",
          differences);
    }
    requireShort(entry.name(), entry.elementSizeBytes());
    return entry;
  }

  private void requireShort(String entry, long maxBytes) {
    for (RecordType<? extends T> each : types) {
      if (each.sizeBytes() > maxBytes) {
        throw new IllegalArgumentException("record " + each.type().getSimpleName() + " has " + each.sizeBytes()
            + " bytes, and entry \"" + entry + "\" carries at most " + maxBytes);
      }
    }
  }

  @Override
  public String toString() {
    return "Records[" + names() + "]";
  }
}
