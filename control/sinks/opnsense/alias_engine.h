// One OPNsense router: keeps the tables of its aliases equal to the claims of their lists, by
// requests of the API.
//
// No I/O and no clock: it gets replies and the time (ms of CLOCK_BOOTTIME), and returns requests
// and calls the observer. One thread. It has two lanes with one request at a time each, so that the
// read of a large table delays no write.
//   alias: unknown → trusted → ready; any → unknown after a failed connection, or after an error of
//          the alias
//
// An alias is trusted if its type is external, it does not expire, and its description gives it to
// us. This is checked again every minute, and before lost elements are added again. An alias is
// ready when its table was read; it is read again every `read_every_ms`. An unexpectedly empty
// table is believed when a second read shows it. A held claim is settled by the reply to its add.
// The API answers "done" without checking the result, so only the next read proves it: lost
// elements are forgotten and added again. Claims are kept while the router is unreachable. An alias
// whose write is refused is tried again after 30 s, and works again once a write succeeded. A name,
// a domain and a client each have a share of an alias; a full one gives up an element of the
// largest share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/program/build/opnsense_plan.h"
#include "control/sinks/opnsense/alias_state.h"
#include "control/sinks/opnsense/api.h"
#include "control/sinks/opnsense/report.h"
#include "control/sinks/routers/claim_sink.h"
#include "routeros/refusal_log.h"
#include "routeros/router_sink.h"

namespace steer::opnsense {

enum class Lane : std::uint8_t { write, read, count_ };
inline constexpr std::size_t kLanes = static_cast<std::size_t>(Lane::count_);
constexpr std::size_t lane_index(Lane lane) {
    return static_cast<std::size_t>(lane);
}

class AliasEngine {
  public:
    using Log = std::function<void(routeros::Level, const std::string& sentence)>;

    // `sink`: the sink in the calls to the observer.
    AliasEngine(const ClaimSink& sink, SinkObserver& observer, Log log)
        : sink_(sink), observer_(observer), log_(std::move(log)) {}

    // Removed aliases get no claims; their elements are deleted when their leases end.
    // `is_new_access`: address or credentials changed, so everything is read again.
    void configure(const build::OpnsensePlan& plan, bool is_new_access, std::uint64_t now_ms);
    // Stops writes until it is resumed; no answer waits.
    void pause(bool on);

    [[nodiscard]] std::vector<KeptList> lists() const;
    void claim(const Claim& claim, std::uint64_t now_ms);

    // The next request of a lane without one in flight. No value: there is none before wake_ms(),
    // unless another function is called.
    std::optional<ApiRequest> next(Lane lane, std::uint64_t now_ms);
    [[nodiscard]] std::uint64_t wake_ms(Lane lane) const;
    void reply(Lane lane, unsigned status, const std::string& body, std::uint64_t now_ms);
    void failed(Lane lane, const std::string& why, std::uint64_t now_ms);

    [[nodiscard]] SinkHealth health() const;
    [[nodiscard]] std::vector<NeededList> needed() const;
    [[nodiscard]] RouterReport report() const;
    // Whether nothing is left to keep or delete.
    [[nodiscard]] bool is_idle() const { return aliases_.empty(); }

  private:
    enum class Phase : std::uint8_t { unknown, trusted, ready };
    struct Alias {
        Alias(build::AliasPlan plan, std::shared_ptr<routeros::Shares> shares, std::uint16_t number)
            : state(std::move(plan), std::move(shares), number) {}
        AliasState state;
        Phase phase = Phase::unknown;
        bool was_ready = false;
        std::uint64_t lost_ms = 0;  // when it last stopped being ready, or was new
        std::uint64_t due_ms = 0;   // of the next step, or the next read
        std::string error;          // why it is not trusted; empty: it is
        bool is_refused = false;    // the last write was
        bool is_unsure = false;     // not written until the aliases are described again
        bool is_doubted = false;    // the last read showed an empty table
        bool is_retired = false;
        bool is_repairing = false;
        bool is_overflowed = false;  // claims were dropped since the last epoch
        std::uint64_t epoch_ms = 0;  // no epoch for dropped claims before
        unsigned slow_writes = 0;    // in a row
        std::size_t reported_foreign = 0;
        AliasCounters counters;
        routeros::RefusalLog refusals;
    };
    using AliasPtr = std::shared_ptr<Alias>;
    enum class Kind : std::uint8_t { describe, list, add, remove };
    struct Flight {
        Kind kind;
        AliasPtr alias;  // of `describe`: none
        IpAddress address;
        std::uint64_t sent_ms;
    };

    static constexpr unsigned kSlowWrites = 3;  // in a row; then no answer waits
    // The row board's time.
    static constexpr std::uint32_t board_s(std::uint64_t ms) {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(ms / 1'000, UINT32_MAX - 1));
    }
    static bool may_write(const Alias& alias) {
        return alias.phase == Phase::ready && !alias.is_unsure;
    }
    // When the aliases must be described again, although none of them is unknown.
    [[nodiscard]] std::uint64_t describe_due_ms() const;
    std::optional<ApiRequest> next_write(std::uint64_t now_ms);
    std::optional<ApiRequest> next_read(std::uint64_t now_ms);
    std::optional<ApiRequest> next_add(std::uint64_t now_ms);
    std::optional<ApiRequest> next_end(std::uint64_t now_ms);
    std::optional<ApiRequest> end_of(const AliasPtr& alias, std::uint64_t now_ms);
    ApiRequest send(Lane lane, Flight flight, ApiRequest request);
    void take(const Flight& flight, const std::string& body, std::uint64_t now_ms);
    void described(const Flight& flight, const std::string& body, std::uint64_t now_ms);
    void listed(const Flight& flight, const std::string& body, std::uint64_t now_ms);
    void written(const Flight& flight, const std::string& body, std::uint64_t now_ms);
    void note_time(const Flight& flight, std::uint64_t now_ms);
    void tell_changes(const AliasPtr& alias, const AliasState::Read& read);
    static void lose(Alias& alias, std::uint64_t now_ms);
    void distrust(const AliasPtr& alias, const std::string& why, std::uint64_t now_ms);
    void refused(const AliasPtr& alias, const std::string& why, std::uint64_t now_ms);
    void down(const std::string& why, std::uint64_t least_ms, std::uint64_t now_ms);
    void up();
    void update_away();
    AliasState::Claimed claim_element(Alias& alias, const IpAddress& address,
                                      std::uint64_t until_ms, std::uint64_t token,
                                      const routeros::Origin& origin, std::uint64_t now_ms);
    void refuse(Alias& alias, const IpAddress& address, const routeros::Origin& origin,
                std::uint64_t now_ms);
    void arrived(Alias& alias, const IpAddress& address);
    void settle(const AliasState::Tokens& tokens, Outcome outcome);
    void heal_overflow(Alias& alias, std::uint64_t now_ms);
    void drop_retired();
    [[nodiscard]] std::string about(const Alias& alias) const;

    const ClaimSink& sink_;
    SinkObserver& observer_;
    Log log_;
    build::OpnsensePlan plan_;  // without its aliases
    std::shared_ptr<routeros::Shares> shares_ = std::make_shared<routeros::Shares>();
    std::uint16_t aliases_so_far_ = 0;
    std::vector<AliasPtr> aliases_;
    std::array<std::optional<Flight>, kLanes> flights_;
    std::unordered_map<std::uint64_t, unsigned> waits_;  // by token: elements that it lacks
    std::set<ListId> here_;
    bool is_paused_ = false;
    bool is_up_ = false;
    std::string error_;  // of the router; empty: none
    std::uint64_t retry_ms_ = 0, backoff_ms_ = 0;
    std::uint64_t describe_ms_ = 0;  // the description of a ready alias is read again
    std::uint64_t routine_ms_ = 0;   // no background write before
    std::size_t turn_ = 0;
    std::uint32_t write_us_ = 0;
};

}  // namespace steer::opnsense
