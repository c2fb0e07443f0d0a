// Bywash for C++17: owners for the objects of bywash.h, which documents guarantees, threads and errors. Header only.
//
// Errors are exceptions of type bywash::Error. Expected outcomes ("no room in time") are results. An object must not
// outlive the segment that it was made with.
#ifndef BYWASH_HPP
#define BYWASH_HPP

#include "bywash.h"

#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace bywash {

using Timeout = std::chrono::nanoseconds;

/** What a function of bywash.h returned, with its text. */
class Error : public std::runtime_error {
 public:
  explicit Error(int code) : std::runtime_error(bywash_error()), code_(code) {}
  /** One of BYWASH_E... */
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/** Throws what a negative result stands for; returns any other one. */
template <typename T>
T check(T result) {
  if (result < 0) {
    throw Error(static_cast<int>(result));
  }
  return result;
}

/** A message, valid as long as its source says. */
class Message : public bywash_message {
 public:
  /** A copy of a record that the message holds. Throws Error if the message has another length. */
  template <typename Record>
  Record as() const {
    static_assert(std::is_trivially_copyable_v<Record>, "records are copied as bytes");
    if (length != static_cast<std::int32_t>(sizeof(Record))) {
      throw std::length_error("a message of " + std::to_string(length) + " bytes is no record of "
                              + std::to_string(sizeof(Record)));
    }
    Record record;
    std::memcpy(&record, data, sizeof record);
    return record;
  }
};

/** A broadcast for a segment's description. */
inline bywash_entry broadcast(const char *name, std::int64_t ring_bytes, std::int32_t subscribers = 0) {
  bywash_entry entry;
  check(bywash_broadcast(&entry, name, ring_bytes, subscribers));
  return entry;
}

/** A work queue for a segment's description. */
inline bywash_entry work_queue(const char *name, std::int64_t capacity, std::int64_t max_message_bytes,
                               const bywash_delivery_policy *policy = nullptr, std::int32_t roles = 0) {
  bywash_entry entry;
  check(bywash_work_queue(&entry, name, capacity, max_message_bytes, policy, roles));
  return entry;
}

/** An endpoint for a segment's description. */
inline bywash_entry endpoint(const char *name, std::int64_t max_request_bytes, std::int64_t max_reply_bytes,
                             std::int32_t callers = 0, std::int32_t slots = 0, std::int32_t responders = 0,
                             bool redelivers = false) {
  bywash_endpoint_options options{};
  options.size = sizeof options;
  options.callers = callers;
  options.slots = slots;
  options.responders = responders;
  options.redelivers = redelivers ? 1 : 0;
  bywash_entry entry;
  check(bywash_endpoint(&entry, name, max_request_bytes, max_reply_bytes, &options));
  return entry;
}

/** Options of a subscriber, with this policy and otherwise the defaults. */
inline bywash_subscriber_options subscriber_options(std::uint32_t policy = BYWASH_BLOCK) {
  bywash_subscriber_options options{};
  options.size = sizeof options;
  options.policy = policy;
  return options;
}

/** Options of another role: the defaults. */
inline bywash_role_options role_options() {
  bywash_role_options options{};
  options.size = sizeof options;
  return options;
}

namespace detail {

template <auto close>
struct Closer {
  template <typename T>
  void operator()(T *object) const noexcept {
    close(object);
  }
};

template <typename T, auto close>
using Owner = std::unique_ptr<T, Closer<close>>;

}  // namespace detail

/** An attachment to a segment. */
class Segment {
 public:
  static Segment create(const std::string &name, const std::vector<bywash_entry> &entries) {
    bywash_segment_spec spec;
    bywash_spec(&spec, entries.data(), entries.size());
    return made([&](bywash_segment **to) { return bywash_create(name.c_str(), &spec, to); });
  }
  static Segment open(const std::string &name, const std::vector<bywash_entry> &entries) {
    bywash_segment_spec spec;
    bywash_spec(&spec, entries.data(), entries.size());
    return made([&](bywash_segment **to) { return bywash_open(name.c_str(), &spec, to); });
  }
  static Segment attach(const std::string &name, Timeout timeout) {
    return made([&](bywash_segment **to) { return bywash_attach(name.c_str(), timeout.count(), to); });
  }
  static Segment observe(const std::string &name) {
    return made([&](bywash_segment **to) { return bywash_observe(name.c_str(), to); });
  }
  std::int64_t id() const noexcept { return bywash_id(segment_.get()); }
  std::string path() const { return bywash_path(segment_.get()); }
  void label(const std::string &label) { check(bywash_label(segment_.get(), label.c_str())); }
  bywash_recovery recover() {
    bywash_recovery recovery{};
    recovery.size = sizeof recovery;
    check(bywash_recover(segment_.get(), &recovery));
    return recovery;
  }
  /** For the functions of bywash.h. */
  bywash_segment *get() const noexcept { return segment_.get(); }

 private:
  template <typename Make>
  static Segment made(Make make) {
    Segment segment;
    bywash_segment *raw = nullptr;
    check(make(&raw));
    segment.segment_.reset(raw);
    return segment;
  }
  detail::Owner<bywash_segment, bywash_close> segment_;
};

/** The publisher of a broadcast. */
class Publisher {
 public:
  Publisher(const Segment &segment, const char *entry, const bywash_role_options &options = role_options()) {
    bywash_publisher *raw = nullptr;
    check(bywash_publisher_open(segment.get(), entry, &options, &raw));
    publisher_.reset(raw);
  }
  bool offer(const void *data, std::int64_t length, std::int32_t type = 0, Timeout timeout = Timeout::zero()) {
    return check(bywash_offer(publisher_.get(), data, length, type, timeout.count())) == 1;
  }
  /** Room for a message; nullptr when there was none in time. */
  void *claim(std::int64_t length, std::int32_t type = 0, Timeout timeout = Timeout::zero()) {
    void *place = nullptr;
    return check(bywash_claim(publisher_.get(), length, type, timeout.count(), &place)) == 1 ? place : nullptr;
  }
  void commit() { check(bywash_commit(publisher_.get())); }
  void stage() { check(bywash_stage(publisher_.get())); }
  void abort() { check(bywash_abort(publisher_.get())); }
  void publish() { check(bywash_publish(publisher_.get())); }
  bool await_subscribers(std::int32_t count, Timeout timeout) {
    return check(bywash_await_subscribers(publisher_.get(), count, timeout.count())) == 1;
  }
  std::int64_t sequence() const noexcept { return bywash_publisher_sequence(publisher_.get()); }

 private:
  detail::Owner<bywash_publisher, bywash_publisher_close> publisher_;
};

/** A subscriber of a broadcast. */
class Subscriber {
 public:
  Subscriber(const Segment &segment, const char *entry,
             const bywash_subscriber_options &options = subscriber_options()) {
    bywash_subscriber *raw = nullptr;
    check(bywash_subscriber_open(segment.get(), entry, &options, &raw));
    subscriber_.reset(raw);
  }
  /** The next message, valid until the next call; empty when none came in time. */
  std::optional<Message> receive(Timeout timeout = Timeout::zero()) {
    Message message;
    return check(bywash_receive(subscriber_.get(), &message, timeout.count())) == 1 ? std::optional(message)
                                                                                   : std::nullopt;
  }
  /** Hands messages to `handler(const Message &)`; how many. What the handler throws ends the poll behind it. */
  template <typename Handler>
  int poll(Handler &&handler, int limit, Timeout timeout = Timeout::zero()) {
    Call<Handler> call{handler, nullptr};
    int count = bywash_poll(subscriber_.get(), Call<Handler>::run, &call, limit, timeout.count());
    if (call.thrown) {
      std::rethrow_exception(call.thrown);
    }
    return check(count);
  }
  std::int64_t sequence() const noexcept { return bywash_subscriber_sequence(subscriber_.get()); }
  std::int64_t lost() const noexcept { return bywash_subscriber_lost(subscriber_.get()); }

 private:
  template <typename Handler>
  struct Call {
    Handler &handler;
    std::exception_ptr thrown;
    static int run(void *context, const bywash_message *message) {
      auto *self = static_cast<Call *>(context);
      try {
        Message copy;
        static_cast<bywash_message &>(copy) = *message;
        self->handler(copy);
        return 0;
      } catch (...) {
        self->thrown = std::current_exception();
        return 1;
      }
    }
  };
  detail::Owner<bywash_subscriber, bywash_subscriber_close> subscriber_;
};

/** A producer of a work queue. */
class Producer {
 public:
  Producer(const Segment &segment, const char *entry, const bywash_role_options &options = role_options()) {
    bywash_producer *raw = nullptr;
    check(bywash_producer_open(segment.get(), entry, &options, &raw));
    producer_.reset(raw);
  }
  bool send(const void *data, std::int64_t length, std::int32_t type = 0, Timeout timeout = Timeout::zero()) {
    return check(bywash_send(producer_.get(), data, length, type, timeout.count())) == 1;
  }

 private:
  detail::Owner<bywash_producer, bywash_producer_close> producer_;
};

/** A consumer of a work queue. */
class Consumer {
 public:
  Consumer(const Segment &segment, const char *entry, const bywash_role_options &options = role_options()) {
    bywash_consumer *raw = nullptr;
    check(bywash_consumer_open(segment.get(), entry, &options, &raw));
    consumer_.reset(raw);
  }
  /** A message, held and valid until acknowledge or give_back; empty when none came in time. */
  std::optional<Message> take(Timeout timeout = Timeout::zero()) {
    Message message;
    return check(bywash_take(consumer_.get(), &message, timeout.count())) == 1 ? std::optional(message) : std::nullopt;
  }
  void acknowledge() { check(bywash_acknowledge(consumer_.get())); }
  void give_back() { check(bywash_give_back(consumer_.get())); }

 private:
  detail::Owner<bywash_consumer, bywash_consumer_close> consumer_;
};

/** A caller of an endpoint. */
class Caller {
 public:
  Caller(const Segment &segment, const char *entry, const bywash_role_options &options = role_options()) {
    bywash_caller *raw = nullptr;
    check(bywash_caller_open(segment.get(), entry, &options, &raw));
    caller_.reset(raw);
  }
  /** Calls, and waits. The result is valid until the next call() or next(); its outcome says if there is a reply. */
  bywash_reply call(const void *data, std::int64_t length, std::int32_t type, Timeout timeout) {
    bywash_reply reply;
    check(bywash_call(caller_.get(), data, length, type, timeout.count(), &reply));
    return reply;
  }
  /** Sends a copy; the number of the request, empty when all slots are in use. */
  std::optional<std::int64_t> begin(const void *data, std::int64_t length, std::int32_t type, Timeout timeout) {
    std::int64_t number = 0;
    return check(bywash_call_begin(caller_.get(), data, length, type, timeout.count(), &number)) == 1
               ? std::optional(number) : std::nullopt;
  }
  /** Room for a request of any size, which commit() sends; nullptr when all slots are in use. */
  void *claim() {
    void *place = nullptr;
    return check(bywash_call_claim(caller_.get(), &place)) == 1 ? place : nullptr;
  }
  /** Sends a part of what was claimed; the number of the request. */
  std::int64_t commit(std::int64_t start, std::int64_t length, std::int32_t type, Timeout timeout) {
    std::int64_t number = 0;
    check(bywash_call_commit(caller_.get(), start, length, type, timeout.count(), &number));
    return number;
  }
  bool one_way(const void *data, std::int64_t length, std::int32_t type = 0) {
    return check(bywash_call_one_way(caller_.get(), data, length, type)) == 1;
  }
  /** How the next of the calls ended that begin() and commit() sent; empty when none did in time. */
  std::optional<bywash_reply> next(Timeout timeout = Timeout::zero()) {
    bywash_reply reply;
    return check(bywash_call_next(caller_.get(), timeout.count(), &reply)) == 1 ? std::optional(reply) : std::nullopt;
  }
  bool cancel(std::int64_t number) { return check(bywash_call_cancel(caller_.get(), number)) == 1; }

 private:
  detail::Owner<bywash_caller, bywash_caller_close> caller_;
};

/** A responder of an endpoint. */
class Responder {
 public:
  Responder(const Segment &segment, const char *entry, const bywash_role_options &options = role_options()) {
    bywash_responder *raw = nullptr;
    check(bywash_responder_open(segment.get(), entry, &options, &raw));
    responder_.reset(raw);
  }
  /** A request, to be answered now or later; empty when none came in time. */
  std::optional<bywash_request> next(Timeout timeout = Timeout::zero()) {
    bywash_request request;
    return check(bywash_request_next(responder_.get(), &request, timeout.count())) == 1 ? std::optional(request)
                                                                                       : std::nullopt;
  }
  /** Replies with a copy; false when it was too late. So for the two below. */
  bool reply(bywash_request &request, const void *data, std::int64_t length, std::int32_t type = 0) {
    return check(bywash_request_reply(responder_.get(), &request, data, length, type)) == 1;
  }
  /** The place for the reply, which commit() sends. */
  void *claim(const bywash_request &request) {
    void *place = nullptr;
    check(bywash_request_claim(responder_.get(), &request, &place));
    return place;
  }
  bool commit(bywash_request &request, std::int64_t start, std::int64_t length, std::int32_t type = 0) {
    return check(bywash_request_commit(responder_.get(), &request, start, length, type)) == 1;
  }
  bool fail(bywash_request &request, const std::string &type, const std::string &message) {
    return check(bywash_request_fail(responder_.get(), &request, type.c_str(), message.c_str())) == 1;
  }
  bool is_cancelled(const bywash_request &request) {
    return check(bywash_request_is_cancelled(responder_.get(), &request)) == 1;
  }

 private:
  detail::Owner<bywash_responder, bywash_responder_close> responder_;
};

/** The atomics of an entry. */
class Cells {
 public:
  Cells(const Segment &segment, const char *entry) {
    bywash_cells *raw = nullptr;
    check(bywash_cells_open(segment.get(), entry, &raw));
    cells_.reset(raw);
  }
  int cell(const char *name, int type) const { return check(bywash_cell(cells_.get(), name, type)); }
  std::int64_t get(int cell) {
    std::int64_t value = 0;
    check(bywash_get(cells_.get(), cell, &value));
    return value;
  }
  void set(int cell, std::int64_t value) { check(bywash_set(cells_.get(), cell, value)); }
  std::int64_t add(int cell, std::int64_t delta) {
    std::int64_t before = 0;
    check(bywash_add(cells_.get(), cell, delta, &before));
    return before;
  }
  bool compare_and_set(int cell, std::int64_t expected, std::int64_t value) {
    return check(bywash_compare_and_set(cells_.get(), cell, expected, value)) == 1;
  }

 private:
  detail::Owner<bywash_cells, bywash_cells_close> cells_;
};

/** A writer of a latest value. */
class Writer {
 public:
  Writer(const Segment &segment, const char *entry, const bywash_role_options &options = role_options()) {
    bywash_writer *raw = nullptr;
    check(bywash_writer_open(segment.get(), entry, &options, &raw));
    writer_.reset(raw);
  }
  void write(const void *data, std::int64_t length, std::int32_t type = 0) {
    check(bywash_write(writer_.get(), data, length, type));
  }

 private:
  detail::Owner<bywash_writer, bywash_writer_close> writer_;
};

/** A reader of a latest value. */
class Reader {
 public:
  Reader(const Segment &segment, const char *entry, const bywash_role_options &options = role_options()) {
    bywash_reader *raw = nullptr;
    check(bywash_reader_open(segment.get(), entry, &options, &raw));
    reader_.reset(raw);
  }
  /** A copy of the latest value, valid until the next call; empty when there is none yet. */
  std::optional<Message> read() {
    Message message;
    return check(bywash_read(reader_.get(), &message)) == 1 ? std::optional(message) : std::nullopt;
  }
  bool await_newer(Timeout timeout) { return check(bywash_await_newer(reader_.get(), timeout.count())) == 1; }

 private:
  detail::Owner<bywash_reader, bywash_reader_close> reader_;
};

}  // namespace bywash

#endif
