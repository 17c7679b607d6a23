// The time of a secondary's checks, by the timers of the zone's SOA (RFC 1035 3.3.13, RFC 1996).
// Pure: the caller gives the time, in seconds of a clock that does not jump.
//
// After a good check the next is due after `refresh`, after a failed one after `retry`. The zone
// expires `expire` after the last good check, but never between two checks. Without a zone a retry
// follows after 10 s, 20 s, up to 10 minutes. A random part of the last tenth is left out, so that
// secondaries do not ask all at once. NOTIFY makes a check due, at most once in kNotifyPauseS.
#pragma once

#include <cstdint>
#include <optional>

#include "control/sources/transfer/zone_contents.h"

namespace steer::transfer {

struct RefreshLimits {
    std::uint32_t min_s = 30, max_s = 86'400;
};

class RefreshTimer {
  public:
    static constexpr std::uint32_t kFirstRetryS = 10, kLastRetryS = 600;
    static constexpr std::uint32_t kNotifyPauseS = 1;  // between two checks because of NOTIFY

    explicit RefreshTimer(std::uint64_t now_s) : due_s_(now_s) {}

    void set_limits(RefreshLimits limits) { limits_ = limits; }
    // A kept zone, checked `age_s` ago. It is checked at once.
    void restored(const Soa& soa, std::uint64_t age_s, std::uint64_t now_s);
    // A good check; the zone has this SOA. `chance`: 0 to 1.
    void checked(const Soa& soa, std::uint64_t now_s, double chance);
    void failed(std::uint64_t now_s, double chance);
    // A NOTIFY, or an operator: a check is due at once, or right after the running one.
    void notify(std::uint64_t now_s);
    // A check begins.
    void begin() { is_notified_ = false; }

    [[nodiscard]] bool is_due(std::uint64_t now_s) const { return now_s >= due_s_; }
    [[nodiscard]] std::uint64_t due_s() const { return due_s_; }
    // Whether a zone is older than its SOA allows.
    [[nodiscard]] bool is_expired(std::uint64_t now_s) const {
        return expires_s_ && now_s >= *expires_s_;
    }
    [[nodiscard]] std::optional<std::uint64_t> expires_s() const { return expires_s_; }

  private:
    // A timer of the SOA within the limits, with its random part left out.
    [[nodiscard]] std::uint64_t within(std::uint32_t seconds, double chance) const;
    [[nodiscard]] std::uint64_t expire_after_s(const Soa& soa) const;
    // Sets the time of the next check: soon if a NOTIFY was received during this one.
    void wait(std::uint64_t seconds, std::uint64_t now_s);

    RefreshLimits limits_;
    std::optional<Soa> soa_;
    std::uint64_t due_s_;
    std::optional<std::uint64_t> expires_s_;
    std::uint32_t retry_s_ = kFirstRetryS;  // without a zone
    std::uint64_t ended_s_ = 0;             // the last check
    bool is_notified_ = false;
};

}  // namespace steer::transfer
