// owners PATH : uses every class of bywash.hpp in one process. Its segment is gone when the last owner is.
#include "bywash.hpp"

#include <cstdio>
#include <iostream>
#include <string>
#include <utility>

namespace {

void check(bool holds, const char *what) {
  if (!holds) {
    std::cerr << "owners: " << what << "\n";
    std::exit(1);
  }
}

struct Point {
  std::int64_t x, y;
};

void share(bywash::Segment &segment) {
  bywash::Publisher publisher(segment, "points");
  bywash::Subscriber subscriber(segment, "points");
  check(publisher.await_subscribers(1, std::chrono::seconds(1)), "a subscriber");
  const Point point{3, 4};
  check(publisher.offer(&point, sizeof point, 7), "room");
  new (publisher.claim(sizeof point)) Point{5, 6};
  publisher.commit();
  publisher.claim(8);
  publisher.abort();
  const auto first = subscriber.receive();
  check(first && first->type == 7 && first->as<Point>().y == 4, "the first point");
  std::int64_t sum = 0;
  check(subscriber.poll([&](const bywash::Message &m) { sum += m.as<Point>().x; }, 10) == 1 && sum == 5, "a poll");
  check(!subscriber.receive() && subscriber.sequence() == 2 && subscriber.lost() == 0, "nothing more");
  publisher.offer("x", 1);
  try {
    subscriber.poll([](const bywash::Message &m) { m.as<Point>(); }, 10);
    check(false, "what a handler throws");
  } catch (const std::length_error &) {
  }
  try {
    bywash::Publisher second(segment, "points");
    check(false, "a second publisher");
  } catch (const bywash::Error &error) {
    check(error.code() == BYWASH_ETAKEN && std::string(error.what()).find("has a publisher"
        " already") != std::string::npos,
          "why there is no second publisher");
  }
}

void work(bywash::Segment &segment) {
  bywash::Producer producer(segment, "jobs");
  bywash::Consumer consumer(segment, "jobs");
  check(producer.send("one", 3), "room for a job");
  check(consumer.take() && producer.send("two", 3), "a job");
  consumer.give_back();
  for (int i = 0; i < 2; i++) {
    check(consumer.take(std::chrono::seconds(1)).has_value(), "both jobs");
    consumer.acknowledge();
  }
  check(!consumer.take(), "no job");
}

void values(bywash::Segment &segment) {
  bywash::Cells cells(segment, "state");
  const int total = cells.cell("total", BYWASH_LONG);
  cells.set(total, 5);
  check(cells.add(total, 2) == 5 && cells.get(total) == 7 && cells.compare_and_set(total, 7, 1), "atomics");
  bywash::Writer writer(segment, "price");
  bywash::Reader reader(segment, "price");
  check(!reader.read(), "no value");
  writer.write("12", 2);
  check(reader.await_newer(std::chrono::seconds(1)) && reader.read()->length == 2, "a value");
}

void call(bywash::Segment &segment) {
  bywash::Caller caller(segment, "echo");
  bywash::Responder responder(segment, "echo");
  const auto first = caller.begin("one", 3, 7, std::chrono::seconds(10));
  check(first && caller.one_way("way", 3), "two requests");
  std::memcpy(caller.claim(), "..two", 5);
  const auto third = caller.commit(2, 3, 8, std::chrono::seconds(10));
  auto one = responder.next();
  auto way = responder.next();
  auto two = responder.next(std::chrono::seconds(1));
  check(one && way && way->one_way == 1 && two && !responder.next(), "three requests");
  check(two->number == third && std::memcmp(two->data, "two", 3) == 0 && two->type == 8, "what was written in place");
  std::memcpy(responder.claim(*two), "->2", 3);
  check(responder.commit(*two, 2, 1) && responder.reply(*way, "", 0), "answers");
  check(caller.cancel(*first) && responder.is_cancelled(*one) && !responder.reply(*one, "1", 1), "one is too late");
  for (int i = 0; i < 2; i++) {
    const auto end = caller.next();
    check(end && (end->number == third ? end->outcome == BYWASH_REPLIED && end->length == 1
        && *static_cast<const char *>(end->data) == '2' : end->outcome == BYWASH_CANCELLED), "both ends");
  }
  check(caller.call("none", 4, 0, std::chrono::milliseconds(1)).outcome == BYWASH_TIMED_OUT, "a call in vain");
  const auto failed = caller.begin("four", 4, 0, std::chrono::seconds(10));
  auto four = responder.next();
  check(failed && four && responder.fail(*four, "Nonsense", "no"), "a failure");
  check(caller.next()->outcome == BYWASH_HANDLER_FAILED && std::string(bywash_error()).find("Nonsense: no")
        != std::string::npos, "what the handler said");
}

}  // namespace

int main(int, char **argv) {
  char text[128];
  const char *cells[] = {"long total"};
  bywash_entry state;
  bywash_entry price;
  bywash::check(bywash_atomics(&state, "state", cells, 1, text, sizeof text));
  bywash::check(bywash_latest(&price, "price", 64, 1, 1));
  auto made = bywash::Segment::create(
      argv[1], {bywash::broadcast("points", 4096), bywash::work_queue("jobs", 4, 16), state, price,
                bywash::endpoint("echo", 64, 64, 1, 4, 1)});
  auto segment = std::move(made);
  segment.label("owners");
  check(bywash::Segment::observe(argv[1]).id() == segment.id() && segment.path() == argv[1], "one segment");
  check(segment.recover().buried == 0, "nobody is dead");
  share(segment);
  work(segment);
  values(segment);
  call(segment);
  std::cout << "owned\n";
}
