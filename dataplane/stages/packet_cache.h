// The queries that came of late, byte for byte, and the entry that the cache had for each: what PowerDNS calls a packet
// cache. One a worker, in front of everything; what it knows needs no parsing, no key and no lookup.
//
// It holds pointers into the shared cache beyond a quiescent state, which is sound because of Cache::epoch(): a line is
// used only while nothing of its share of the cache was taken out since it was written. It never holds an answer of
// its own, so what is flushed, replaced or expired there is gone here.
//
// Lines are compared in full. The hash only finds them: who guesses its seed can make lines push each other out, and
// then those queries go the common way. Where few queries come twice (each has a cookie or a random case) the packet cache
// notices, and rests for a while.
//
// One thread. No heap after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/same_bytes.h"
#include "dataplane/cache/cache.h"
#include "dataplane/dns/query.h"

namespace steer {

class PacketCache {
  public:
    static constexpr std::size_t kLines = 8192;
    static constexpr unsigned kWays = 4;
    // Bytes of a message that are kept, from its third on: those before are the ID.
    static constexpr std::size_t kShortest = 16, kLongest = 82;

    // What is known of a query; two lines of the CPU's cache.
    struct alignas(64) Line {
        const cache::Entry* entry = nullptr;
        std::uint64_t epoch = 0;         // of the entry's share, from before it was found
        std::uint32_t generation = 0;    // of the snapshot
        std::uint16_t share = 0;         // Cache::share_of() of the key
        std::uint8_t length = 0;         // of the message, with its ID
        std::uint8_t way = 0;            // by which it came, as the caller counts ways
        dns::QueryHead head;             // all of a dns::Query but the ID and the name
        std::uint16_t question_sum = 0;  // checksum_fold() of the question
        std::uint16_t bytes_sum = 0;     // ... and of `bytes`
        std::array<std::uint8_t, kLongest> bytes;
    };
    static_assert(sizeof(Line) == 128);

    // EAL must be up. Aborts with a message if there is no memory.
    explicit PacketCache(std::uint64_t seed);

    // Whether to ask it for these `n` messages at all; no: it rests. Call once a burst.
    [[nodiscard]] bool awake(unsigned n) noexcept;

    static bool fits(std::size_t length) noexcept {
        return length >= kShortest + 2 && length <= kLongest + 2;
    }
    // `way`: by which it came, if the same bytes mean something else by another.
    [[nodiscard]] std::uint64_t hash(const std::uint8_t* message, std::size_t length,
                                     std::uint8_t way = 0) const noexcept;
    // What find() reads first is on its way into the CPU's cache.
    void prefetch(std::uint64_t hash) const noexcept;
    // The line that may be that of this message, or nullptr; its memory is on its way into the CPU's cache.
    [[nodiscard]] const Line* find(std::uint64_t hash) const noexcept;
    // Whether it is, if it came by the line's way.
    static bool is_of(const Line& line, const std::uint8_t* message, std::size_t length) noexcept {
        return line.length == length &&
               same_bytes(line.bytes.data(), message + kIdBytes, length - kIdBytes);
    }
    // For the share of messages that are known, which decides when to rest.
    void count_known(unsigned n) noexcept { known_ += n; }

    // A line for a message that is not known, which fits; the caller says what is known of it.
    Line& replace(std::uint64_t hash, const std::uint8_t* message, std::size_t length) noexcept;

  private:
    static constexpr std::size_t kIdBytes = 2;
    static constexpr unsigned kWindow = 8192;         // messages
    static constexpr unsigned kFewest = kWindow / 8;  // that are known in a window, or it rests ...
    static constexpr unsigned kRest = 16 * kWindow;   // ... for so many messages

    using Tags =
        std::array<std::uint32_t, kWays>;  // upper half of the hash, with bit 0 set; 0: none
    struct Free {
        void operator()(void* memory) const;
    };

    std::uint64_t seed_;
    unsigned asked_ = 0, known_ = 0, resting_ = 0, next_way_ = 0;
    std::unique_ptr<Tags[], Free> tags_;
    std::unique_ptr<Line[], Free> lines_;
};

}  // namespace steer
