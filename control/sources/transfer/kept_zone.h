// One zone with all that is made of it: its records, its file, and the zones that workers read.
//
// Used by one thread at a time; all of it may block. The main thread publishes what it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "control/program/build/secondary_plans.h"
#include "control/sources/transfer/exchange.h"
#include "control/sources/transfer/policy_builder.h"
#include "control/sources/transfer/zone_contents.h"
#include "control/sources/transfer/zone_digest.h"
#include "control/sources/transfer/zone_file.h"

namespace steer::transfer {

class KeptZone {
  public:
    using Exchange = std::function<Exchanged(const ExchangeRequest&, const std::stop_token&)>;

    // What changed; the views are nullptr if they did not.
    struct Update {
        TransferOutcome outcome = TransferOutcome::stopped;
        std::string why;         // unless the outcome is good
        std::string remark;      // of a good one, for the log
        std::string primary;     // that was asked last
        std::optional<Soa> soa;  // of the zone that we have now
        std::size_t records = 0;
        std::uint64_t bytes = 0;  // received
        std::uint64_t memory = 0;
        bool is_changed = false;
        bool is_listed = false;  // the text for lists was written
        DigestResult digest = DigestResult::none;
        Skipped skipped;
        std::unique_ptr<const PolicyZone> policy, local;
        bool is_merge_due = false;
        std::optional<std::uint64_t>
            kept_checked_s;  // since 1970: the zone of the last run was read before
    };

    KeptZone(build::SecondaryPlan plan, std::shared_ptr<LiveTargets> targets,
             Exchange exchange = transfer::exchange);

    // The zone from the last run, with the seconds since it was checked; no value: none. A damaged file is a remark.
    struct Restored {
        Update update;
        std::uint64_t checked_s = 0;  // since 1970
    };
    std::optional<Restored> restore(std::string& remark);
    // Asks the primaries, one after the other. `whole`: by AXFR in any case.
    Update refresh(bool whole, const std::stop_token& stop);
    // Makes one image of the changes, in memory and on disk.
    Update merge();

    [[nodiscard]] const build::SecondaryPlan& plan() const { return plan_; }

  private:
    [[nodiscard]] ExchangeRequest request_for(const config::ZonePrimary& primary, bool whole) const;
    // Puts what a primary sent into force. Error: it is not good enough, the outcome says why.
    bool take(Exchanged& got, Update& update);
    bool is_digest_good(const ZoneContents& draft, Update& update) const;
    void make_views(const std::vector<Bytes>* touched, Update& update);
    void describe(Update& update) const;
    void write_list(Update& update) const;

    const build::SecondaryPlan plan_;
    const std::shared_ptr<LiveTargets> targets_;
    const Exchange exchange_;
    ZoneContents contents_;
    ZoneFile file_;
    std::unique_ptr<PolicyBuilder>
        policy_;  // nullptr: no rpz uses the zone, or it was not built yet
    Skipped local_skipped_;
};

}  // namespace steer::transfer
