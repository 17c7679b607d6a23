// Answers NOTIFY (RFC 1996) from the primaries of our zones, and says which zones to check.
//
// Thread-safe; never waits. Senders are known by their address, and by their signature if the zone has a key. A forged NOTIFY
// can only make us ask the primary once a second. Others are not for us: they get what every other opcode gets.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/secondary_settings.h"
#include "control/sources/transfer/zone_name.h"
#include "matchers/counter_table.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::transfer {

#define STEER_NOTIFY_RESULTS(X)                           \
    X(accepted, "the zone is checked now")                \
    X(bad_signature, "its signature is missing or wrong") \
    X(not_ours, "no zone here has this name and sender")
STEER_COUNTER_ENUM(NotifyResult, kNotifyResults, STEER_NOTIFY_RESULTS);

class NotifyBook {
  public:
    struct Zone {
        std::string tag;
        Bytes name;
        matchers::PrefixSet senders;
        std::optional<config::TsigKey> key;
    };
    // Called with the tag of a zone to check, and the sender. Any thread.
    using Notified = std::function<void(const std::string& tag, const IpAddress& from)>;
    using Seconds = std::uint64_t (*)();

    // `now_s`: since 1970.
    NotifyBook(Notified notified, Seconds now_s) : notified_(std::move(notified)), now_s_(now_s) {}

    void set(std::vector<Zone> zones);
    // The response; empty: it is not for us.
    [[nodiscard]] Bytes answer(const IpAddress& from, ByteSpan message);
    [[nodiscard]] std::uint64_t count(NotifyResult result) const {
        return counts_[static_cast<std::size_t>(result)].load(std::memory_order_relaxed);
    }
    // The last refused signature, and its sender; empty: none.
    [[nodiscard]] std::string last_refusal() const;

  private:
    void count_one(NotifyResult result) {
        counts_[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
    }

    const Notified notified_;
    const Seconds now_s_;
    mutable std::mutex mutex_;
    std::shared_ptr<const std::vector<Zone>> zones_ = std::make_shared<std::vector<Zone>>();
    std::string last_refusal_;
    std::array<std::atomic<std::uint64_t>, kNotifyResults.size()> counts_{};
};

}  // namespace steer::transfer
