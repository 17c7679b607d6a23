#include "control/sinks/fleet/shared_tickets.h"

#include <algorithm>
#include <set>
#include <utility>

namespace steer::fleet {
namespace {

// Before a period begins its key is made known, so that every box can read the first ticket.
constexpr std::uint64_t kAheadMs = 10 * 60'000;

}  // namespace

SharedTickets::SharedTickets(std::string prefix, RedisConnection& redis)
    : prefix_(std::move(prefix)), redis_(redis) {}

void SharedTickets::tick(std::int64_t difference_ms, std::uint64_t now_ms) {
    if (checked_ms_ != 0 && now_ms < checked_ms_ + kEveryMs) return;
    checked_ms_ = now_ms;
    const auto theirs_ms =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(now_ms) + difference_ms);
    const std::uint64_t period = theirs_ms / kPeriodMs;
    std::set<std::string> groups;
    for (const auto& server : servers_) {
        if (const std::string group = server->ticket_group(); !group.empty()) groups.insert(group);
    }
    for (const std::string& group : groups) {
        for (std::uint64_t p = period; p <= (theirs_ms + kAheadMs) / kPeriodMs; ++p)
            ask(group, p, difference_ms, now_ms);
    }
    std::erase_if(known_, [&](const auto& entry) {
        const auto at = entry.first.rfind(':');
        return std::stoull(entry.first.substr(at + 1)) + 1 < period;
    });
}

void SharedTickets::ask(const std::string& group, std::uint64_t period, std::int64_t difference_ms,
                        std::uint64_t now_ms) {
    const std::string name = group + ":" + std::to_string(period);
    std::string& mine = known_[name];
    const auto server = std::ranges::find_if(
        servers_, [&](const auto& one) { return one->ticket_group() == group; });
    if (mine.empty() && server != servers_.end()) mine = (*server)->new_ticket_key();
    if (mine.empty()) return;
    const std::string key = prefix_ + "tickets:" + name;
    const std::string life = std::to_string(2 * kPeriodMs);
    redis_.command({"SET", key, mine, "NX", "PX", life}, now_ms);
    redis_.command({"GET", key}, now_ms,
                   [this, group, period, difference_ms](const RedisReply& reply, std::uint64_t) {
                       if (reply.kind == RedisReply::Kind::text)
                           take(group, period, difference_ms, reply.text);
                   });
}

void SharedTickets::take(const std::string& group, std::uint64_t period, std::int64_t difference_ms,
                         const std::string& sealed) {
    const auto own_ms = [difference_ms](std::uint64_t theirs_ms) {
        const auto at_ms = static_cast<std::int64_t>(theirs_ms) - difference_ms;
        return static_cast<std::uint64_t>(std::max<std::int64_t>(at_ms, 0));
    };
    bool is_read = false;
    for (const auto& server : servers_) {
        if (server->ticket_group() != group) continue;
        is_read |= server->use_ticket_key(sealed, own_ms(period * kPeriodMs),
                                          own_ms((period + 1) * kPeriodMs));
    }
    if (!is_read)
        ++unreadable_;
    else
        known_[group + ":" + std::to_string(period)] = sealed;
}

}  // namespace steer::fleet
