// What the host and the guest say to each other, as FlatBuffers of the schema of samples/calls: Ask and Answer, written
// and read in place. They are so small that these accessors are by hand, and nothing has to be installed; a reader that
// was generated for the schema, as the guest in Java has, reads the same bytes.
#ifndef WIRE_HPP
#define WIRE_HPP

#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace wire {

enum Work : std::uint8_t { INVERT, MEET, FAIL };
/** The numbers of the fields, as in the schema. */
enum AskField { ASK_ID, ASK_WORK, ASK_TOGETHER, ASK_PAYLOAD };
enum AnswerField { ANSWER_ID, ANSWER_INSIDE, ANSWER_PAYLOAD };

constexpr std::int64_t MAX_BYTES = 8192 + 64;

/** A table that is the root of a message. Whatever is out of the message's bounds is an exception. */
class Table {
 public:
  Table(const void *data, std::int32_t length) : data_(static_cast<const char *>(data)), length_(length) {
    at_ = get<std::uint32_t>(0);
    vtable_ = at_ - get<std::int32_t>(at_);
  }
  template <typename T>
  T field(int number, T otherwise) const {
    const auto offset = place(number);
    return offset == 0 ? otherwise : get<T>(at_ + offset);
  }
  /** The length of a vector of bytes, and its first byte. */
  std::uint32_t bytes(int number, const std::uint8_t **first) const {
    const auto offset = place(number);
    if (offset == 0) {
      *first = nullptr;
      return 0;
    }
    const auto vector = at_ + offset + get<std::uint32_t>(at_ + offset);
    const auto count = get<std::uint32_t>(vector);
    check(vector + 4, count);
    *first = reinterpret_cast<const std::uint8_t *>(data_ + vector + 4);
    return count;
  }

 private:
  std::uint16_t place(int number) const {
    const auto entry = 4 + 2 * number;
    return entry < get<std::uint16_t>(vtable_) ? get<std::uint16_t>(vtable_ + entry) : 0;
  }
  void check(std::int64_t offset, std::int64_t count) const {
    if (offset < 0 || count > length_ || offset > length_ - count) {
      throw std::out_of_range("a table reaches beyond its message");
    }
  }
  template <typename T>
  T get(std::int64_t offset) const {
    check(offset, sizeof(T));
    T value;
    std::memcpy(&value, data_ + offset, sizeof value);
    return value;
  }

  const char *data_;
  std::int64_t length_;
  std::int64_t at_;
  std::int64_t vtable_;
};

template <typename T>
void put(void *place, std::size_t offset, const T &value) {
  std::memcpy(static_cast<char *>(place) + offset, &value, sizeof value);
}

/** Writes an Ask, and tells where its payload belongs. The message has that place and the payload behind it. */
inline std::size_t write_ask(void *place, std::uint64_t id, Work work, std::int32_t together, std::uint32_t length) {
  const std::uint16_t vtable[] = {12, 24, 8, 20, 16, 4}; // its size, the table's, and where the fields are
  put<std::uint32_t>(place, 0, 16);
  put(place, 4, vtable);
  put<std::int32_t>(place, 16, 12); // from the vtable to the table
  put<std::uint32_t>(place, 20, 20); // from here to the vector
  put(place, 24, id);
  put(place, 32, together);
  put<std::uint32_t>(place, 36, work);
  put(place, 40, length);
  return 44;
}

/** The same for an Answer. */
inline std::size_t write_answer(void *place, std::uint64_t id, std::int32_t inside, std::uint32_t length) {
  const std::uint16_t vtable[] = {10, 20, 8, 16, 4, 0};
  put<std::uint32_t>(place, 0, 16);
  put(place, 4, vtable);
  put<std::int32_t>(place, 16, 12);
  put<std::uint32_t>(place, 20, 16);
  put(place, 24, id);
  put(place, 32, inside);
  put(place, 36, length);
  return 40;
}

constexpr std::uint64_t MIXER = 0x9E3779B97F4A7C15;

/** How long the payload of that request is: small ones are as frequent as large ones. */
inline std::uint32_t payload_length(std::uint64_t id) {
  const auto mixed = id * MIXER;
  const auto most = 1U << (mixed >> 40) % 13;
  return most - 1 + (static_cast<std::uint32_t>(mixed >> 50) & (most - 1));
}

/** A byte of the payload of that request; in its answer, each one is inverted. */
inline std::uint8_t payload_byte(std::uint64_t id, std::uint32_t index) {
  return static_cast<std::uint8_t>((id + index) * MIXER >> 56);
}

/** Whether the payload of a table is that of the request, or with `flip` 255, of its answer. */
inline bool is_right(const Table &table, int field, std::uint64_t id, std::uint8_t flip) {
  const std::uint8_t *payload;
  const auto length = table.bytes(field, &payload);
  bool right = length == payload_length(id);
  for (std::uint32_t i = 0; right && i < length; i++) {
    right = payload[i] == (payload_byte(id, i) ^ flip);
  }
  return right;
}

// What goes over the endpoint of orders, as `bywash layout` prints it for the records of samples/calls.
constexpr auto CONTROL =
    "1 8 Order\n 0 int calls\n 4 boolean isLast\n"
    "2 56 Report\n 0 long received\n 8 long intact\n 16 (Figures) figures\n"
    "- 40 Figures\n 0 int calls\n 4 int right\n 8 long bytes\n 16 long nanos\n 24 long p50Nanos\n 32 long p99Nanos\n";
struct Order {
  std::int32_t calls;
  bool is_last;
};
struct Figures {
  std::int32_t calls, right;
  std::int64_t bytes, nanos, p50_nanos, p99_nanos;
};
struct Report {
  std::int64_t received, intact;
  Figures figures;
};

}  // namespace wire

#endif
