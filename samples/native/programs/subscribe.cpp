// HelloSubscriber of samples/hello in C++: waits for the segment, subscribes, and prints the first message.
#include "bywash.hpp"

#include <cstdint>
#include <cstring>
#include <iostream>
#include <string>

namespace {

struct Greeting {  // as in hello.h
  std::int64_t process;
  char text[32];
};
constexpr auto layout = "0 40 Greeting\n 0 long process\n 8 string[32] text\n";

}  // namespace

int main() {
  try {
    auto segment = bywash::Segment::attach("hello", std::chrono::seconds(60));
    auto options = bywash::subscriber_options(BYWASH_BLOCK);
    options.layout = layout;
    bywash::Subscriber subscriber(segment, "greetings", options);
    auto message = subscriber.receive(std::chrono::seconds(60));
    if (!message) {
      std::cerr << "subscribe: no message came for 60 s; start a publisher in another terminal\n";
      return 1;
    }
    const auto greeting = message->as<Greeting>();
    std::cout << std::string(greeting.text, strnlen(greeting.text, sizeof greeting.text)) << " from process "
              << greeting.process << "\n";
    return 0;
  } catch (const bywash::Error &error) {
    std::cerr << "subscribe: " << error.what() << "\n";
    return 1;
  }
}
