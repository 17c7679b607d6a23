// Recently answered queries, compared byte by byte, and the cache entry of each: a packet cache as
// in PowerDNS. One per worker, the first stage. A query in it needs no parsing, no key and no
// lookup. Names are kept in lower case. A query with a name in another case, as resolvers with 0x20
// send it, is compared a second time.
//
// It keeps pointers into the shared cache after a quiescent state. Cache::epoch() makes this safe:
// a line is used only if no entry of its share was removed since the line was written. So a flushed,
// replaced or expired entry disappears here at once. The one thing that it keeps of an answer is the
// reply for the current second (ready_reply.h), which is used under the same condition.
//
// Lines are compared in full; the hash only finds them. Of queries with equal hashes, the one that
// is found keeps the line, and the other stages answer the others. The hash ignores bit 0x20 of
// all bytes from ARCOUNT on. So `TXT` (16) and `DNSKEY` (48) of one name collide, as do names with
// `1` and 0x11. A client that guesses the seed can cause more collisions. A line that was found
// stays once when a new one needs its place (second chance), so that rare names do not drive out
// popular ones. If few queries repeat (random names), the packet cache stops for a while. A cookie
// at the end of a query is not part of the compared bytes (stages/cookies.h).
//
// For one thread. No heap after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "dataplane/base/same_bytes.h"
#include "dataplane/cache/cache.h"
#include "dataplane/dns/query.h"
#include "dataplane/stages/ready_reply.h"

namespace steer {

class PacketCache {
  public:
    static constexpr std::size_t kLines = 8192;
    static constexpr unsigned kWays = 4;
    static constexpr std::size_t kIdBytes = 2;
    // Lengths of stored messages, from the third byte on (the first two are the ID).
    static constexpr std::size_t kShortest = 16, kLongest = 78;

    static constexpr std::uint32_t ready_word(std::uint32_t now_s, Readiness what) noexcept {
        return now_s << 3 | static_cast<std::uint32_t>(what);
    }

    // A line has the facts about one query, in two CPU cache lines.
    struct alignas(64) Line {
        const cache::Entry* entry = nullptr;
        std::uint64_t epoch = 0;                   // of the entry's share, read before the lookup
        std::uint32_t ready = 0;                   // ready_word() of the last second with a hit
        std::uint32_t limit_name = 0;              // Resolver::limit_name()
        std::uint16_t share = 0;                   // Cache::share_of() of the key
        std::uint8_t length = 0;                   // of the message, with its ID
        std::uint8_t frontend_class = 0;           // the caller's number of the frontend class
        dns::QueryHead head;                       // a dns::Query without the ID and the name
        std::uint16_t question_sum = 0;            // checksum_fold() of the question in `bytes`
        std::uint16_t bytes_sum = 0;               // ... and of `bytes`
        std::array<std::uint8_t, kLongest> bytes;  // with the name in lower case
    };
    static_assert(sizeof(Line) == 128);

    // EAL must be initialized. Aborts with a message if there is no memory.
    explicit PacketCache(std::uint64_t seed);

    // Whether to search it for these `n` messages; false while it is stopped. Call once per burst.
    [[nodiscard]] bool awake(unsigned n) noexcept;
    [[nodiscard]] bool is_resting() const noexcept { return resting_ > 0; }

    static bool fits(std::size_t length) noexcept {
        return length >= kShortest + 2 && length <= kLongest + 2;
    }
    // Equal for all cases of the name. `frontend_class`: frontends with different answers differ in
    // it.
    [[nodiscard]] std::uint64_t hash(const std::uint8_t* message, std::size_t length,
                                     std::uint8_t frontend_class = 0) const noexcept;
    // Prefetches the data that find() reads first.
    void prefetch(std::uint64_t hash) const noexcept;
    // Returns the line that may have this message; nullptr if there is none.
    [[nodiscard]] const Line* find(std::uint64_t hash) const noexcept;
    // The same; prefetches the line and gives it its second chance.
    [[nodiscard]] Line* use(std::uint64_t hash) noexcept;
    // The ready reply of a line, which may be of another second or another message.
    [[nodiscard]] ReadyReply& ready_reply(const Line& line) noexcept {
        return replies_[static_cast<std::size_t>(&line - lines_.get())];
    }
    // Whether the line has this message, and its name is in lower case.
    static bool is_of(const Line& line, const std::uint8_t* message, std::size_t length) noexcept {
        return line.length == length &&
               same_bytes(line.bytes.data(), message + kIdBytes, length - kIdBytes);
    }
    // Compares without regard to the case of the name. Returns what to add to `bytes_sum` (one's
    // complement) to get the sum of the message; nullopt: it is another message.
    static std::optional<std::uint16_t> case_difference(const Line& line,
                                                        const std::uint8_t* message,
                                                        std::size_t length) noexcept;
    // Whether a ready reply also marks its entry as used (SIEVE): one in kTouched. More would read
    // entries that the replies do not need.
    [[nodiscard]] bool touches_now() noexcept { return ++sent_ready_ % kTouched == 0; }
    // Counts `n` known messages. Their share decides when the cache stops.
    void count_known(unsigned n) noexcept { known_ += n; }

    // Forgets all messages: 32 KiB are written.
    void clear() noexcept;
    // The snapshot whose answers it has. Forgets all messages if it is another one.
    void follow(std::uint32_t generation) noexcept {
        if (generation == generation_) [[likely]]
            return;
        generation_ = generation;
        clear();
    }
    [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }
    // Returns a line for a new message that fits. The caller fills it, and lower-cases its name. No
    // message is found in it if another one with the same hash was found since it was last passed
    // over.
    Line& replace(std::uint64_t hash, const std::uint8_t* message, std::size_t length) noexcept;

  private:
    static constexpr unsigned kWindow = 8192;  // messages
    static constexpr unsigned kFewest =
        kWindow / 8;  // known messages in a window; with fewer it stops ...
    static constexpr unsigned kRest = 16 * kWindow;  // ... for this number of messages
    static constexpr unsigned kTouched = 8;          // ready replies per mark of an entry as used

    // Upper half of the hash. Bit 0 is set, bit 1 if the line was found since it was last passed
    // over. 0: none.
    using Tags = std::array<std::uint32_t, kWays>;
    struct Free {
        void operator()(void* memory) const;
    };

    unsigned place_in(Tags& tags) noexcept;

    std::uint64_t seed_;
    unsigned sent_ready_ = 0;
    unsigned asked_ = 0, known_ = 0, resting_ = 0, next_way_ = 0;
    std::uint32_t generation_ = 0;
    std::unique_ptr<Tags[], Free> tags_;
    std::unique_ptr<Line[], Free> lines_;
    std::unique_ptr<ReadyReply[], Free> replies_;  // of the line with the same index
    Line unused_;  // replace() returns it instead of a line that was found and has the same hash
};

}  // namespace steer
