// What was lately seen, so that two repeaters on the same links do not send each other's packets round for ever.
//
// A packet that another repeater sent on comes from another address or by another link than the first of its kind: it is a
// copy for kWindowMs after the last one was seen. The host that it is from may send it again (three probes 250 ms apart, RFC
// 6762 8.1), though not within kLeastGapMs, in which no host does but a loop of forged packets would. Asked by two hosts within a second,
// the same question has gone everywhere with the first (7.3).
//
// What is kept is bounded by what the packets' budgets let through in two windows.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>

#include "matchers/prefix/ip_address.h"

namespace steer::mdns {

class RecentPackets {
  public:
    static constexpr std::uint64_t kWindowMs = 1000, kLeastGapMs = 100;

    // Is it to be repeated? `bytes`: as they would be sent. Remembers it.
    bool is_new(std::span<const std::uint8_t> bytes, int if_index, const IpAddress& source,
                std::uint64_t now_ms);

  private:
    struct Key {
        std::array<std::uint8_t, 32> digest;
        bool v6;
        auto operator<=>(const Key&) const = default;
    };
    struct Seen {
        int if_index = 0;
        IpAddress source;
        std::uint64_t last_ms = 0;
    };
    [[nodiscard]] const Seen* find(const Key& key, std::uint64_t now_ms) const;
    void turn(std::uint64_t now_ms);

    std::map<Key, Seen> now_, before_;  // of this window, of the last
    std::uint64_t turned_ms_ = 0;
};

}  // namespace steer::mdns
