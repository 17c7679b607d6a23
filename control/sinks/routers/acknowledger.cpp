#include "control/sinks/routers/acknowledger.h"

namespace steer {
namespace {

constexpr std::size_t kBacklog = 65'536;  // beyond, the worker's sync_timeout ends the hold

}  // namespace

void Acknowledger::acknowledge(std::uint64_t hold_token, Outcome outcome) {
    if (outcome != Outcome::late) count(outcome);
    const Message message{.kind = MessageKind::acknowledged,
                          .b = static_cast<std::uint32_t>(outcome),
                          .token = hold_token};
    const unsigned worker = worker_of_hold_token(hold_token);
    if (backlog_.empty() && runtime_.acknowledgements(worker).push(message)) return;
    if (backlog_.size() < kBacklog) backlog_.emplace_back(worker, message);
}

bool Acknowledger::flush() {
    while (!backlog_.empty() &&
           runtime_.acknowledgements(backlog_.front().first).push(backlog_.front().second)) {
        backlog_.pop_front();
    }
    return backlog_.empty();
}

}  // namespace steer
