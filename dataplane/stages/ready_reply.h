// The reply to a line of the packet cache, in wire format. All plain hits of that line within one
// second get the same bytes, because TTLs are in whole seconds. Only the ID and the case of the
// name differ.
//
// For one thread. It is valid in the second for which its line says so (PacketCache::Line::ready).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/dns/wire.h"

namespace steer {

// What a line of the packet cache knows about its ready reply in one second.
enum class Readiness : std::uint32_t {
    once,     // one plain hit was answered from the entry ...
    twice,    // ... or two
    ready,    // the reply is ready
    covered,  // the same, while the rows of the answer's lists are known to exist (see covered_while)
    checked,  // the same, but each packet is checked: the lists' routers depend on the client
    unfit,    // the answer is too long, or not every hit of it is plain
};

struct alignas(64) ReadyReply {
    static constexpr std::size_t kIdBytes = 2, kBlock = 16;
    // Bytes behind the question: records and OPT. Two addresses and an OPT are in the first CPU
    // cache line.
    static constexpr std::size_t kMostTail = 96;

    std::array<std::uint8_t, dns::kHeaderSize - kIdBytes> header;  // flags and counts
    std::uint16_t change;  // added to the UDP checksum of the query, gives that of the reply
    std::uint16_t end;     // of its counter (QueryEnds::end_of())
    std::uint8_t cache;    // cache::Entry::instance
    std::uint8_t tail_length;
    std::array<std::uint8_t, kMostTail> tail;
    std::uint32_t ttl_cap_s;  // the largest TTL that its lists allowed when it was made
    // Readiness::covered: the list_changes() for which packets need no renew_if_covered(); 0: each
    // needs it.
    std::uint64_t covered_while;

    // Bytes that write() may change in a message with this question.
    static std::size_t room(std::size_t question_end) noexcept { return question_end + kMostTail; }

    void prefetch() const noexcept {
        __builtin_prefetch(this);
        __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(this) + 64);
    }
    // Completes the reply in `message`, which starts with the client's header and question. Returns
    // its length. May write up to kBlock - 1 bytes behind it.
    [[gnu::always_inline]] std::size_t write(std::uint8_t* message,
                                             std::size_t question_end) const noexcept {
        std::memcpy(message + kIdBytes, header.data(), header.size());
        for (std::size_t at = 0; at < tail_length; at += kBlock)
            std::memcpy(message + question_end + at, tail.data() + at, kBlock);
        return question_end + tail_length;
    }
};
static_assert(sizeof(ReadyReply) == 128 && ReadyReply::kMostTail % ReadyReply::kBlock == 0);

}  // namespace steer
