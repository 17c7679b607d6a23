// What all workers know of forwarding loops: the labels of tests, the loops that tests proved, and
// when an upstream may be tested again (loop_tests.h).
//
// A label is 128 random bits as hexadecimal digits, so only a machine that saw it can send it back.
// It passes every forwarder, in any case. Its lowest bits are its place on the board, so a worker
// recognises a label with one comparison.
//
// A proof names an upstream and a name; it holds for names below, too. Proofs are found by a keyed
// hash and end by themselves. A full bucket loses the oldest one; the next return proves it again.
//
// Any worker reads and writes; nothing waits, and nothing is allocated after construction. Words
// are relaxed except where a pair must fit: a label is complete before it leaves, and its return
// address is written before the mark that it returned.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/forward/upstream_health.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/domain/label_hash.h"
#include "matchers/prefix/ip_address.h"

namespace steer::forward {

inline constexpr unsigned kLoopTests = 64;               // that a worker remembers
inline constexpr unsigned kLoopPlaces = 2 * kLoopTests;  // of their labels

// One test a minute and upstream; ten a second while one of the last eight proved a loop.
inline constexpr std::uint64_t kTestEveryMs = 60'000, kTestInLoopMs = 100;
// A proof outlives the pause by the time of the next test.
inline constexpr std::uint64_t kRenewProofMs = 1'000, kProofMs = kTestEveryMs + kRenewProofMs;

struct LoopLabel {
    static constexpr std::uint8_t kDigits = 32;

    std::uint64_t high = 0, low = 0;

    // The digits, in lower case.
    void write(std::span<std::uint8_t, kDigits> digits) const noexcept;
    // The label at the start of a lower-cased wire name; no value if it has another form.
    static std::optional<LoopLabel> read(std::span<const std::uint8_t> name) noexcept;
    // Without a branch per byte.
    bool operator==(const LoopLabel& other) const noexcept {
        return ((high ^ other.high) | (low ^ other.low)) == 0;
    }
};

class LoopBoard {
  public:
    LoopBoard();

    // Whether the (lower-cased) name begins with one of our labels. Then notes that this client
    // returned it.
    bool take_back(std::span<const std::uint8_t> name, const IpAddress& client) noexcept {
        if (name.front() != LoopLabel::kDigits) [[likely]]
            return false;
        return take_back_label(name, client);
    }

    // ---- the worker that tests

    // Makes the label of this place known; its lowest bits are replaced.
    LoopLabel publish(unsigned worker, unsigned place, LoopLabel label) noexcept;
    // The client that returned the label; no value if none did.
    [[nodiscard]] std::optional<IpAddress> returned_by(const LoopLabel& label) const noexcept;
    // Whether the upstream may be tested now. If so, the next test has to wait.
    bool begin_test(std::uint16_t upstream, std::uint64_t now_ms) noexcept;
    // The result of the test that was sent at `sent_ms`.
    void end_test(std::uint16_t upstream, std::uint64_t sent_ms, bool proved,
                  std::uint64_t now_ms) noexcept;
    // The upstream sends the (lower-cased) name and names below it back to us, from this address.
    void prove(std::uint16_t upstream, std::span<const std::uint8_t> name, const IpAddress& from,
               std::uint64_t until_ms) noexcept;
    // The proof for exactly this name ends.
    void withdraw(std::uint16_t upstream, std::span<const std::uint8_t> name) noexcept;

    // ---- any worker

    struct Loop {
        std::uint64_t until_ms;
        IpAddress from;
    };
    // The proof that this name comes back; that of the root first.
    [[nodiscard]] std::optional<Loop> find(std::uint16_t upstream,
                                           std::span<const std::uint8_t> name,
                                           std::uint64_t now_ms) const noexcept;
    // Whether find() may find anything.
    [[nodiscard]] bool has_proofs(std::uint64_t now_ms) const noexcept {
        return last_until_ms_.load(std::memory_order_relaxed) > now_ms;
    }

  private:
    static constexpr unsigned kBucketSlots = 4;
    static constexpr unsigned kBuckets = 512;
    static constexpr unsigned kPlaces = kMaxWorkers * kLoopPlaces;
    static_assert((kPlaces & (kPlaces - 1)) == 0, "the lowest bits of a label are its place");

    struct AtomicAddress {
        std::array<std::atomic<std::uint64_t>, 2> words{};
        void store(const IpAddress& address) noexcept;
        [[nodiscard]] IpAddress load() const noexcept;
    };
    struct Label {
        std::atomic<std::uint64_t> high{0}, low{0};
        std::atomic<std::uint64_t> returned{0};  // `low` of the returned label
        AtomicAddress from;
    };
    struct Proof {
        std::atomic<std::uint64_t> key{0};  // 0: none
        std::atomic<std::uint64_t> until_ms{0};
        AtomicAddress from;
    };
    struct UpstreamState {
        std::atomic<std::uint64_t> next_test_ms{0};
        std::atomic<std::uint8_t> proofs{0};  // bit i: the i-th last test proved a loop
    };
    using Bucket = std::array<Proof, kBucketSlots>;

    bool take_back_label(std::span<const std::uint8_t> name, const IpAddress& client) noexcept;
    [[nodiscard]] std::uint64_t root_key(std::uint16_t upstream) const noexcept;
    [[nodiscard]] std::uint64_t key_of(std::uint16_t upstream,
                                       std::span<const std::uint8_t> name) const noexcept;
    [[nodiscard]] Bucket& bucket(std::uint64_t key) noexcept { return buckets_[key % kBuckets]; }

    matchers::LabelHash hash_;
    std::array<Label, kPlaces> labels_{};
    std::array<Bucket, kBuckets> buckets_{};
    std::array<UpstreamState, kMaxUpstreams> upstreams_{};
    std::atomic<std::uint64_t> last_until_ms_{0};  // of all proofs
};

}  // namespace steer::forward
