// The kernel's sets (`ipset`, `nftset`) as a sink of claims: the daemon's end of the process
// steerdns-sets.
//
// On thread `routers`, by its io_context. Nothing here waits: claims that the process does not take
// now are kept up to a bound. Further claims are counted, and hits make them again under a new
// epoch once there is room. So do hits after a full set dropped claims and has room again. A claim
// that an answer waits for is settled when the process reports its rows, at once if the list is
// away or the queue gives up one of its rows. The process runs while there are lists; a process
// that had routes runs on without lists, because it removes them. When it ends, or is silent for a
// minute, its lists are away and it is started again with backoff. Its claims end with it: new
// epochs begin, so that hits claim again.
//
// Names, domains and clients have shares of each set and of what waits for the process. The process knows owners as
// numbers. It returns the name and the client of a refused claim, for the log and the row board.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/host/process/child_runner.h"
#include "control/host/process/restart_backoff.h"
#include "control/sinks/kernel_sets/held_claims.h"
#include "control/sinks/kernel_sets/shown_sets.h"
#include "control/sinks/routers/claim_sink.h"
#include "control/sinks/set_process/claim_queue.h"
#include "control/sinks/set_process/kernel_set.h"
#include "control/sinks/set_process/set_messages.h"
#include "control/sinks/set_process/set_report.h"
#include "routeros/refusal_log.h"

namespace steer::kernel_sets {

class SetSink final : public ClaimSink, private ChildOwner {
  public:
    using Start = ChildRunner::Start;
    using Log = std::function<void(sets::Level, const std::string&)>;

    SetSink(boost::asio::io_context& io, SinkObserver& observer, Start start, Log log,
            RestartBackoff backoff = RestartBackoff(),
            std::chrono::milliseconds most_silence = kMaxSilence,
            std::chrono::milliseconds epoch_pause = kEpochPause);
    ~SetSink() override;
    SetSink(const SetSink&) = delete;
    SetSink& operator=(const SetSink&) = delete;

    // Uses these plans; before ListService::configure(). New and changed lists start without
    // knowledge. `ready`: the lists that /readyz needs. steerdns-sets does not know it, so it is
    // not in the plans.
    void configure(std::vector<sets::SetPlan> plans,
                   std::map<ListId, config::ReadyNeed> ready = {});

    [[nodiscard]] std::vector<KeptList> lists() const override;
    void claim(const Claim& claim, std::uint64_t now_ms) override;
    void flush() override;
    [[nodiscard]] SinkHealth health() const override;
    [[nodiscard]] std::vector<NeededList> needed(std::uint64_t now_ms) const override;

    // Any thread.
    [[nodiscard]] SetReport report() const;

    static constexpr std::size_t kMaxClaims = 65'536;  // claims that wait for the process
    static constexpr std::size_t kMaxHeld = 65'536;    // claims that an answer waits for
    // By then, the worker with the held answer has given up (`sync_timeout` is at most 30 s).
    static constexpr std::chrono::milliseconds kMaxHold{60'000};
    // The process reports every 10 s; after this silence it is ended.
    static constexpr std::chrono::milliseconds kMaxSilence{60'000};
    // Minimum time between two epochs because of one full set.
    static constexpr std::chrono::milliseconds kEpochPause{10'000};

  private:
    // ChildOwner
    [[nodiscard]] bool needs_child() const override { return !plans_.empty(); }
    void child_began() override;
    bool take_message(std::string_view bytes) override;
    void child_has_room() override { flush(); }
    void child_failed(const ChildFailure& failure) override;
    void child_ended() override;

    void take_state(sets::SetState state);
    void say_plans();
    bool send_plans();
    bool send_claims();
    [[nodiscard]] const sets::SetPlan* plan_of(ListId list) const;
    void overflow(const sets::Installed& row, const routeros::RefusedClaim& why,
                  const routeros::Origin& origin, const routeros::ClaimBounds& bounds,
                  std::uint64_t now_ms);
    void take_refused(const sets::RefusedRow& row);
    void heal_overflow();
    void heal_full(const std::vector<sets::SetStatus>& states);
    [[nodiscard]] std::size_t max_elements(const sets::SetName& set) const;
    void notify_ready(const std::vector<sets::SetStatus>& states);
    void notify_away(ListId list);
    void settle(const HeldClaims::Tokens& tokens, Outcome outcome);

    SinkObserver& observer_;
    Log log_;
    const std::chrono::milliseconds epoch_pause_;
    bool has_routes_ = false;  // a plan of this process had routes
    bool has_claims_ = false;  // claims were sent to it
    std::string error_;        // the last logged error; empty: it runs
    std::vector<sets::SetPlan> plans_;
    std::map<ListId, config::ReadyNeed> ready_;
    std::uint32_t number_ = 0;  // of plans_
    std::deque<std::string> plans_out_;
    sets::ClaimQueue claims_;
    HeldClaims held_{kMaxHeld};
    std::uint64_t now_ms_ = 0;  // of the last claim
    std::set<ListId> overflowed_, here_;
    bool is_full_logged_ = false;                                   // that claims_ is full
    std::map<ListId, std::chrono::steady_clock::time_point> lost_;  // or new while the process ran
    routeros::RefusalLog queue_refusals_;
    std::map<sets::SetName, routeros::RefusalLog> refusals_;
    struct FullSet {
        std::uint64_t dropped = 0, evicted = 0;  // at its last epoch
        std::chrono::steady_clock::time_point next_epoch;
    };
    std::map<sets::SetName, FullSet> full_sets_;
    std::vector<sets::SetStatus> incoming_;
    std::uint32_t write_us_ = 0;
    std::atomic<std::uint64_t> overflows_{0};
    ShownSets shown_;
    ChildRunner child_;
};

}  // namespace steer::kernel_sets
