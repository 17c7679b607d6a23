#include "routeros/blocking_link.h"

#include <utility>

namespace steer::routeros {
namespace {

using Time = std::chrono::steady_clock;

std::uint64_t steady_ms() {
    const auto now = Time::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

BlockingLink::BlockingLink(TransportConfig config) : transport_(io_, std::move(config), steady_ms) {
    transport_.drive(*this);
    transport_.wake();
}

// A connection is reported once, within its time.
bool BlockingLink::connect() {
    transport_.connect();
    while (!is_connected_ && !has_failed_)
        io_.run_one();
    return is_connected_;
}

bool BlockingLink::receive(std::string& bytes, std::chrono::milliseconds patience) {
    const auto until = Time::now() + patience;
    while (in_.empty() && !has_failed_ && Time::now() < until)
        io_.run_one_until(until);
    bytes = std::exchange(in_, {});
    if (bytes.empty() && !has_failed_)
        failure_ = {LinkFailure::Stage::open, "no answer in time", true};
    return !bytes.empty();
}

void BlockingLink::closed(std::string_view, std::uint64_t) {
    has_failed_ = true;
    failure_ = transport_.failure();
}

}  // namespace steer::routeros
