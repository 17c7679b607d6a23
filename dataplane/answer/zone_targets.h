// Names that zones by transfer ask for instead of the client's: a table of numbers for workers.
//
// A parked query keeps a number for longer than a zone lives. So a number that no zone uses any
// more rests for kRestS before another name gets it. No query is parked for so long
// (kLongestParkedMs in stages/resolver.h).
//
// LiveTargets is the table, which all zones and generations share. ZoneTargets are the numbers of
// one zone. A zone has its share of the table, resting numbers included, so a zone cannot take the
// numbers of others. TargetUses are the numbers that one set of actions uses: they keep them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace steer {

class LiveTargets {
  public:
    static constexpr std::size_t kMost = 4096;
    static constexpr std::uint64_t kRestS = 600;

    struct Target {
        std::array<std::uint8_t, 255> name;  // lower-cased wire form
        std::uint8_t length = 0;
        bool is_below = false;  // the question's name is put before it
        std::uint32_t ttl_s = 0;

        [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {name.data(), length}; }
    };

    // `now_s`: a clock that never goes back; any thread of control. Empty: CLOCK_MONOTONIC.
    explicit LiveTargets(std::function<std::uint64_t()> now_s = {});

    // Workers, with a number from a published zone.
    [[nodiscard]] const Target& at(std::size_t number) const noexcept { return targets_[number]; }

    // So many zones divide the table. A zone with more than its new share keeps them.
    void divide(std::size_t zones) noexcept {
        share_.store(kMost / std::clamp<std::size_t>(zones, 1, kMost), std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t share() const noexcept {
        return share_.load(std::memory_order_relaxed);
    }

  private:
    friend class ZoneTargets;
    [[nodiscard]] std::uint64_t now_s() const { return now_s_(); }
    // A number without a user. No value: there is none.
    std::optional<std::uint16_t> take(std::uint64_t now_s);
    void give_back(std::uint16_t number, std::uint64_t rests_until_s);

    const std::function<std::uint64_t()> now_s_;
    std::unique_ptr<Target[]> targets_ = std::make_unique<Target[]>(kMost);
    std::atomic<std::size_t> share_{kMost};
    std::mutex mutex_;  // of what follows
    std::size_t fresh_ = 0;
    std::deque<std::pair<std::uint64_t, std::uint16_t>> resting_;  // by the end of their rest
};

// Any thread of control.
class ZoneTargets {
  public:
    explicit ZoneTargets(std::shared_ptr<LiveTargets> all) : all_(std::move(all)) {}

    [[nodiscard]] std::size_t share() const noexcept { return all_->share(); }

  private:
    friend class TargetUses;
    struct Known {
        std::uint16_t number;
        std::size_t uses;  // TargetUses that have it
    };
    // One use more of the number of a target. No value: as TargetUses::number_of().
    std::optional<std::uint16_t> use(std::span<const std::uint8_t> name, bool is_below,
                                     std::uint32_t ttl_s);
    void use_again(std::uint16_t number);
    void release(std::uint16_t number);

    const std::shared_ptr<LiveTargets> all_;
    std::mutex mutex_;                      // of what follows
    std::map<std::string, Known> by_name_;  // with its TTL and is_below
    std::map<std::uint16_t, std::map<std::string, Known>::iterator> by_number_;
    std::deque<std::uint64_t> rests_until_s_;  // of numbers that it gave back
};

class TargetUses {
  public:
    TargetUses() = default;
    TargetUses(const TargetUses& other);
    TargetUses& operator=(const TargetUses&) = delete;
    ~TargetUses();

    // The number of a target, always of the same zone. No value: the zone has its share, or there
    // is none left.
    std::optional<std::uint16_t> number_of(const std::shared_ptr<ZoneTargets>& zone,
                                           std::span<const std::uint8_t> name, bool is_below,
                                           std::uint32_t ttl_s);

  private:
    std::shared_ptr<ZoneTargets> zone_;
    std::set<std::uint16_t> numbers_;
};

}  // namespace steer
