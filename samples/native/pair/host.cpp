// A host in C++: it calls a guest, and the guest calls it, at the same time; each side checks every byte that it gets.
// The guest is the one in Go beside this file, or the one in Java of samples/calls.
//
//   host [-w WORKERS] [--requests COUNT] SEGMENT
//
// Prints one line of JSON. Ends with 0 if everything was as it should be, with 1 if not, with 2 if called wrongly.
#include "bywash.hpp"
#include "wire.hpp"

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <thread>

namespace {
using namespace std::chrono_literals;
using wire::Figures;
using wire::Report;
using Clock = std::chrono::steady_clock;

constexpr auto TIMEOUT = 60s;
constexpr std::size_t IN_FLIGHT = 32;

[[noreturn]] void give_up(const std::string &why) {
  std::cerr << "host: " << why << "\n";
  std::exit(1);
}

/** Answers the guest's requests in a thread of its own. */
class Answering {
 public:
  explicit Answering(const bywash::Segment &segment) : responder_(segment, "host"), thread_([this] { run(); }) {}
  ~Answering() {
    over_ = true;
    thread_.join();
  }
  std::atomic<std::int64_t> received{0}, intact{0};

 private:
  void run() try {
    while (!over_) {
      if (auto request = responder_.next(100ms)) {
        answer(*request);
      }
    }
  } catch (const std::exception &failure) {
    give_up(failure.what());
  }
  void answer(bywash_request &request) {
    const wire::Table ask(request.data, request.length); // not a copy: it reads the request's slot
    const auto id = ask.field<std::uint64_t>(wire::ASK_ID, 0);
    if (ask.field<std::uint8_t>(wire::ASK_WORK, 0) != wire::INVERT) {
      responder_.fail(request, "std::invalid_argument", "the host only inverts");
      return;
    }
    received++;
    intact += wire::is_right(ask, wire::ASK_PAYLOAD, id, 0) ? 1 : 0;
    const std::uint8_t *payload;
    const auto length = ask.bytes(wire::ASK_PAYLOAD, &payload);
    auto *place = static_cast<std::uint8_t *>(responder_.claim(request));
    const auto at = wire::write_answer(place, id, 0, length);
    for (std::uint32_t i = 0; i < length; i++) {
      place[at + i] = static_cast<std::uint8_t>(~payload[i]);
    }
    responder_.commit(request, 0, static_cast<std::int64_t>(at + length));
  }

  std::atomic<bool> over_{false};
  bywash::Responder responder_;
  std::thread thread_;
};

/** Sends a request, with its payload if it is to be inverted. */
std::int64_t send(bywash::Caller &caller, void *place, std::uint64_t id, wire::Work work, std::int32_t together) {
  const auto length = work == wire::INVERT ? wire::payload_length(id) : 0;
  const auto at = wire::write_ask(place, id, work, together, length);
  for (std::uint32_t i = 0; i < length; i++) {
    static_cast<std::uint8_t *>(place)[at + i] = wire::payload_byte(id, i);
  }
  return caller.commit(0, static_cast<std::int64_t>(at + length), 0, TIMEOUT);
}

/** Makes so many calls, with so many of them in flight at one time. */
Figures call(bywash::Caller &caller, std::uint64_t first, int calls, std::size_t most) {
  std::map<std::int64_t, std::pair<std::uint64_t, Clock::time_point>> in_flight;
  std::vector<std::int64_t> latencies;
  Figures figures{calls, 0, 0, 0, 0, 0};
  const auto start = Clock::now();
  for (int sent = 0; static_cast<int>(latencies.size()) < calls;) {
    for (void *place; sent < calls && in_flight.size() < most && (place = caller.claim()) != nullptr; sent++) {
      const auto now = Clock::now();
      in_flight[send(caller, place, first + sent, wire::INVERT, 0)] = {first + sent, now};
    }
    const auto end = caller.next(TIMEOUT); // in any order
    if (!end || end->outcome != BYWASH_REPLIED) {
      give_up(end ? bywash_error() : "no call ended");
    }
    const auto [id, since] = in_flight.at(end->number);
    in_flight.erase(end->number);
    const wire::Table answer(end->data, end->length);
    figures.right += answer.field<std::uint64_t>(wire::ANSWER_ID, 0) == id
        && wire::is_right(answer, wire::ANSWER_PAYLOAD, id, 0xFF) ? 1 : 0;
    figures.bytes += 2 * wire::payload_length(id);
    latencies.push_back((Clock::now() - since).count());
  }
  figures.nanos = (Clock::now() - start).count();
  std::sort(latencies.begin(), latencies.end());
  figures.p50_nanos = latencies.empty() ? 0 : latencies[latencies.size() / 2];
  figures.p99_nanos = latencies.empty() ? 0 : latencies[latencies.size() * 99 / 100];
  return figures;
}

/** As many slow requests as the guest has workers: how many were inside its handler at one time. */
int meet(bywash::Caller &caller, int workers) {
  for (int i = 0; i < workers; i++) {
    send(caller, caller.claim(), static_cast<std::uint64_t>(i), wire::MEET, workers);
  }
  int inside = workers;
  for (int i = 0; i < workers; i++) {
    const auto end = caller.next(TIMEOUT);
    if (!end || end->outcome != BYWASH_REPLIED) {
      give_up(end ? bywash_error() : "slow calls do not end");
    }
    inside = std::min(inside, wire::Table(end->data, end->length).field<std::int32_t>(wire::ANSWER_INSIDE, 0));
  }
  return inside;
}

void order(bywash::Caller &orders, int calls, bool is_last) {
  const wire::Order order{calls, is_last};
  orders.begin(&order, sizeof order, 1, 10min); // the last one was carried out
}

Report report(bywash::Caller &orders) {
  const auto end = orders.next(10min);
  Report report;
  if (!end || end->outcome != BYWASH_REPLIED || end->length != sizeof report) {
    give_up(end ? bywash_error() : "the guest does not report");
  }
  std::memcpy(&report, end->data, sizeof report);
  orders.next(); // there is none; the only slot can be used again
  return report;
}

int run(const char *name, int workers, int requests) {
  auto orders_entry = bywash::endpoint("orders", 64, 64, 1, 1, 1);
  orders_entry.layout = wire::CONTROL;
  const auto segment = bywash::Segment::open(name, {
      bywash::endpoint("guest", wire::MAX_BYTES, wire::MAX_BYTES, 2, 32, 8),
      bywash::endpoint("host", wire::MAX_BYTES, wire::MAX_BYTES, 1, 32, 2), orders_entry});
  Answering answering(segment);
  bywash::Caller guest(segment, "guest");
  bywash::Caller orders(segment, "orders");
  order(orders, 0, false);
  report(orders); // a call waits until somebody is there to answer it
  const auto one = call(guest, 0, requests / 4, 1);
  order(orders, requests, false);
  const auto many = call(guest, requests / 4, requests, IN_FLIGHT); // both sides call at the same time
  const auto back = report(orders).figures;
  const int inside = meet(guest, workers);
  send(guest, guest.claim(), 0, wire::FAIL, 0);
  const bool failed = guest.next(TIMEOUT)->outcome == BYWASH_HANDLER_FAILED;
  std::cerr << "host: " << bywash_error() << "\n";
  order(orders, 0, true);
  const auto last = report(orders);
  const auto sent = requests / 4 + requests;
  const bool ok = last.received == sent && last.intact == sent && one.right + many.right == sent
      && back.right == requests && answering.received == requests && answering.intact == requests && inside == workers
      && failed;
  const auto show = [](const char *what, const Figures &f) {
    std::cerr << what << ": " << f.calls << " calls, p50 " << f.p50_nanos << " ns, p99 " << f.p99_nanos << " ns\n";
  };
  show("host to guest, one after the other", one);
  show("host to guest, 32 at one time", many);
  show("guest to host, 32 at one time", back);
  std::cout << "{\"ok\": " << (ok ? "true" : "false") << ", \"toGuest\": " << one.right + many.right
            << ", \"toHost\": " << back.right << ", \"inside\": " << inside << "}" << std::endl;
  return ok ? 0 : 1;
}

}  // namespace

int main(int argc, char **argv) {
  int workers = 4;
  int requests = 8000;
  int i = 1;
  for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
    (std::strcmp(argv[i], "-w") == 0 ? workers : requests) = std::atoi(argv[i + 1]);
  }
  if (i != argc - 1 || argv[i][0] == '-' || workers < 1 || workers > 8 || requests < 4) {
    std::cerr << "usage: host [-w WORKERS] [--requests COUNT] SEGMENT\n";
    return 2;
  }
  try {
    return run(argv[i], workers, requests);
  } catch (const std::exception &failure) {
    give_up(failure.what());
  }
}
