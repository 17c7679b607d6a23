// Answers NOTIFY (RFC 1996) from the primaries of our zones, and reports which zones to check.
//
// Thread-safe; never waits. The address identifies a sender, and its signature, if the zone has a
// key. A zone is reported once until its check begins. So forged NOTIFYs cause one report, one line
// of the log and one check a second (RefreshTimer). At most kMostSigned signatures that name the
// zone's key are verified a second over UDP, and as many over connections. The sender of a datagram
// can be forged, but such a flood does not use up what connections have. Other NOTIFYs get NOTIMP,
// as other opcodes do.
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
#include "dataplane/base/client_transport.h"
#include "matchers/counter_table.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::transfer {

#define STEER_NOTIFY_RESULTS(X)                                             \
    X(accepted, "the zone is checked now")                                  \
    X(bad_signature, "its signature is missing or wrong")                   \
    X(too_many, "more signed ones in a second than are verified; SERVFAIL") \
    X(not_ours, "no zone here has this name and sender")
STEER_COUNTER_ENUM(NotifyResult, kNotifyResults, STEER_NOTIFY_RESULTS);

class NotifyBook {
  public:
    static constexpr std::uint32_t kMostSigned = 100;

    // Signatures that were verified in the present second, over one kind of transport.
    struct VerifyCount {
        std::atomic<std::uint64_t> second_s{0};  // this second, since 1970
        std::atomic<std::uint32_t> count{0};
    };
    struct State {
        std::atomic<bool> is_reported{false};  // the check has not begun yet
        VerifyCount datagrams, connections;
    };
    struct Zone {
        std::string tag;
        Bytes name;
        matchers::PrefixSet senders;
        std::optional<config::TsigKey> key;
        std::shared_ptr<State> state = std::make_shared<State>();
    };
    // Gets the tag of a zone to check, and the sender. Any thread.
    using Notified = std::function<void(const std::string& tag, const IpAddress& from)>;
    using Seconds = std::uint64_t (*)();

    // `now_s`: since 1970.
    NotifyBook(Notified notified, Seconds now_s) : notified_(std::move(notified)), now_s_(now_s) {}

    void set(std::vector<Zone> zones);
    // The check of this zone begins: the next NOTIFY is reported again.
    void begun(const std::string& tag);
    // The response. Empty: it is not for us.
    [[nodiscard]] Bytes answer(const IpAddress& from, ClientTransport transport, ByteSpan message);
    [[nodiscard]] std::uint64_t count(NotifyResult result) const {
        return counts_[static_cast<std::size_t>(result)].load(std::memory_order_relaxed);
    }
    // The last refused signature, and its sender, since the last call. Empty: there was none.
    [[nodiscard]] std::string take_refusal();

  private:
    using Zones = std::shared_ptr<const std::vector<Zone>>;

    [[nodiscard]] Zones zones() const;
    void accept(const Zone& zone, const IpAddress& from);
    [[nodiscard]] bool may_verify(VerifyCount& verified) const;
    // Of one zone.
    struct Answer {
        NotifyResult result = NotifyResult::not_ours;
        Bytes response;
        std::string refusal;  // for the log; empty: none
    };
    // Of a zone with a key.
    Answer answer_signed(const Zone& zone, const IpAddress& from, ClientTransport transport,
                         ByteSpan message);

    const Notified notified_;
    const Seconds now_s_;
    mutable std::mutex mutex_;  // guards zones_ and last_refusal_
    Zones zones_ = std::make_shared<std::vector<Zone>>();
    std::string last_refusal_;
    std::array<std::atomic<std::uint64_t>, kNotifyResults.size()> counts_{};
};

}  // namespace steer::transfer
