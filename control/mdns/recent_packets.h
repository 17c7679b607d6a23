// Recently seen packets, so that two repeaters on the same links do not send packets in circles.
//
// A copy from another repeater has another source address, or arrives on another link, than the
// first packet. It counts as a copy for kWindowMs after the last one. The original host may send it
// again (three probes 250 ms apart, RFC 6762 8.1), but not within kMinGapMs, which only a loop of
// forged packets would do. If two hosts ask the same question within a second, the first repetition
// is enough (7.3).
//
// The packets' budgets over two windows bound the memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>

#include "matchers/prefix/ip_address.h"

namespace steer::mdns {

class RecentPackets {
  public:
    static constexpr std::uint64_t kWindowMs = 1000, kMinGapMs = 100;

    // Returns whether to repeat the packet, and remembers it. `bytes`: as they would be sent.
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

    std::map<Key, Seen> now_, before_;  // of this window, and of the last one
    std::uint64_t turned_ms_ = 0;
};

}  // namespace steer::mdns
