// The source prefixes whose UDP queries XDP programs drop (`ban` of a row of `limits:`).
//
// A source is banned once it was above its row for `ban`. Its ban ends when the queries that the
// programs counted were not above the row for kHoldMs, or when the row has no `ban` any more. An
// address with a proof (a connection, or a valid cookie) is exempt for kProofMs: a forged address
// has none. A ban of that address alone ends.
//
// At most XdpSteering::kMaxBans. Without XDP programs, and for rows with `dry_run`, bans are only
// listed. One thread: control's. Allocates.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/limits/limit_policy.h"
#include "dataplane/port/xdp_steering.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer {

// The XDP programs of all ports.
class BanFilter {
  public:
    BanFilter() = default;
    virtual ~BanFilter() = default;
    BanFilter(const BanFilter&) = delete;
    BanFilter& operator=(const BanFilter&) = delete;

    [[nodiscard]] virtual bool is_available() const = 0;
    // As the functions of XdpSteering.
    virtual Result<void> set(std::span<const XdpBan> bans, std::span<const XdpPrefix> exempt) = 0;
    virtual void renew(std::uint32_t place, std::chrono::milliseconds lifetime) = 0;
    [[nodiscard]] virtual XdpBanCounts counts(std::uint32_t place) const = 0;
};

// A source above a row now, without a proof of its address.
struct BanSource {
    const LimitRow* row;
    matchers::Prefix prefix;
    double per_s;
};

struct Ban {
    std::string row;
    double per_s = 0;  // in units of the row
    bool is_in_force = false;
    std::uint64_t since_ms = 0, over_ms = 0;  // over_ms: last time above the row
    std::uint64_t dropped = 0, passed = 0;    // queries
    unsigned exempt = 0;                      // addresses with a proof
    std::uint32_t place = 0;
    XdpBanCounts last = {}, measured = {};
    std::uint64_t measured_ms = 0;
};

class BanList {
  public:
    static constexpr std::uint64_t kHoldMs = 10'000, kMeasureMs = 1'000, kLogEveryMs = 60'000,
                                   kRetryMs = 60'000;
    static constexpr std::uint64_t kProofMs = 600'000, kRemovedMs = 600'000;
    static constexpr unsigned kMaxExempt = 256;  // addresses of one ban
    // Each ban has places for a few, whatever the others use. Further ones only while all are
    // fewer than kMaxProven.
    static constexpr unsigned kSureExempt = 4;
    static constexpr std::size_t kMaxProven = 2048;
    static constexpr std::size_t kMostProven =
        kMaxProven + std::size_t{kSureExempt} * XdpSteering::kMaxBans;

    explicit BanList(BanFilter& filter) : filter_(filter) {}

    // Call it every 100 ms. `policy`: nullptr: no row. `above`: the heaviest first. Returns new
    // sentences for the log.
    std::vector<std::string> check(const LimitPolicy* policy, std::span<const BanSource> above,
                                   std::uint64_t now_ms);
    // A new policy is in force from the next check() on.
    void follow_policy() { is_changed_ = true; }
    // A banned address had a connection or a valid cookie at `seen_ms`.
    void prove(const IpAddress& address, std::uint64_t seen_ms, std::uint64_t now_ms);
    // Ends a ban at the next check(); the prefix is not banned again for kRemovedMs. Returns false
    // if there is none.
    bool remove(const matchers::Prefix& prefix, std::uint64_t now_ms);

    [[nodiscard]] const std::map<XdpPrefix, Ban>& bans() const { return bans_; }
    [[nodiscard]] bool is_available() const { return filter_.is_available(); }

    struct Totals {
        std::uint64_t bans = 0, dropped = 0, passed = 0;  // `bans`: begun
    };
    // Since the start, by name of the row.
    [[nodiscard]] Totals totals(std::string_view row) const;

  private:
    struct Over {
        std::uint64_t since_ms, seen_ms;
    };

    void count(Ban& ban, const LimitRow* row, std::uint64_t now_ms);
    void end_old(const LimitPolicy* policy, std::uint64_t now_ms);
    void begin(const BanSource& source, std::uint64_t now_ms, std::vector<std::string>& log);
    [[nodiscard]] bool may_begin(const BanSource& source, std::uint64_t now_ms) const;
    [[nodiscard]] Ban* covering(const IpAddress& address);
    [[nodiscard]] bool has_room_for_proof_of(const Ban& ban);
    Result<void> apply(const LimitPolicy* policy);

    BanFilter& filter_;
    std::map<XdpPrefix, Ban> bans_;
    std::set<std::uint32_t> places_;  // in use
    std::map<std::pair<std::uint16_t, XdpPrefix>, Over> over_;
    std::map<IpAddress, std::uint64_t> proven_;   // when last
    std::map<XdpPrefix, std::uint64_t> removed_;  // until when
    std::map<std::string, Totals, std::less<>> totals_;
    std::map<std::string, std::uint64_t, std::less<>> logged_ms_;
    std::set<std::uint8_t> lengths_;  // of bans in force
    std::uint64_t failed_until_ms_ = 0;
    bool is_changed_ = false;
};

}  // namespace steer
