#include "control/sinks/kernel_sets/held_claims.h"

namespace steer::kernel_sets {

bool HeldClaims::add(std::uint64_t token, ListId list, std::span<const IpAddress> addresses,
                     std::uint32_t until_s, std::uint64_t now_ms) {
    if (waits_.size() >= most_) return false;
    for (const IpAddress& address : addresses)
        rows_.emplace(std::pair{list, address}, Row{until_s, next_});
    waits_.emplace(next_++, Wait{token, list, addresses.size(), now_ms});
    return true;
}

HeldClaims::Tokens HeldClaims::written(const sets::Installed& row) {
    Tokens done;
    auto [at, end] = rows_.equal_range({row.list, row.address});
    while (at != end) {
        if (at->second.until_s > row.until_s) {  // a later claim: it is written once more
            ++at;
            continue;
        }
        const auto wait = waits_.find(at->second.wait);
        at = rows_.erase(at);
        if (--wait->second.left > 0) continue;
        done.push_back(wait->second.token);
        waits_.erase(wait);
    }
    return done;
}

HeldClaims::Tokens HeldClaims::refused(const sets::Installed& row) {
    Tokens ended;
    for (auto [at, end] = rows_.equal_range({row.list, row.address}); at != end; ++at) {
        const auto wait = waits_.find(at->second.wait);
        if (wait == waits_.end()) continue;  // an answer that has the address twice
        ended.push_back(wait->second.token);
        waits_.erase(wait);
    }
    if (!ended.empty()) drop_rows_without_wait();
    return ended;
}

HeldClaims::Tokens HeldClaims::end(ListId list) {
    Tokens ended;
    for (auto at = waits_.begin(); at != waits_.end();) {
        if (at->second.list != list) {
            ++at;
            continue;
        }
        ended.push_back(at->second.token);
        at = waits_.erase(at);
    }
    if (!ended.empty()) drop_rows_without_wait();
    return ended;
}

HeldClaims::Tokens HeldClaims::end_before(std::uint64_t ms) {
    Tokens ended;
    while (!waits_.empty() && waits_.begin()->second.since_ms < ms) {
        ended.push_back(waits_.begin()->second.token);
        waits_.erase(waits_.begin());
    }
    if (!ended.empty()) drop_rows_without_wait();
    return ended;
}

void HeldClaims::drop_rows_without_wait() {
    std::erase_if(rows_, [&](const auto& row) { return !waits_.contains(row.second.wait); });
}

}  // namespace steer::kernel_sets
