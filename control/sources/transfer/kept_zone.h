// One zone with everything made from it: its records, its file, and the zones that workers read.
//
// A zone that is malformed, too large, older, or has a wrong digest changes nothing. Limits apply
// to the result of differences, too, so a chain of them cannot grow the zone beyond its limits.
//
// Used by one thread at a time; all functions may block. The main thread publishes their results.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/config/text/record_names.h"
#include "control/program/build/secondary_plans.h"
#include "control/sources/transfer/exchange.h"
#include "control/sources/transfer/policy_builder.h"
#include "control/sources/transfer/zone_contents.h"
#include "control/sources/transfer/zone_digest.h"
#include "control/sources/transfer/zone_file.h"

namespace steer::transfer {

class KeptZone {
  public:
    static constexpr std::size_t kMostNames = 16'384;  // in an Update
    using Exchange = std::function<Exchanged(const ExchangeRequest&, const std::stop_token&)>;

    // A result; views without a change are nullptr.
    struct Update {
        TransferOutcome outcome = TransferOutcome::stopped;
        std::string why;          // unless the outcome is good
        std::string remark;       // for the log, also of a good outcome
        std::string kept_remark;  // of restore(), if the job read the zone of the last run first
        std::string primary;      // the last one that was asked
        std::optional<Soa> soa;   // of the present zone
        std::size_t records = 0;
        std::uint64_t bytes = 0;   // received
        std::uint64_t memory = 0;  // bytes of the present zone
        bool is_changed = false;
        bool is_listed = false;  // the text for lists was written
        DigestResult digest = DigestResult::none;
        Skipped skipped;
        std::unique_ptr<const PolicyZone> policy, local;
        std::vector<config::RecordName> names;  // of addresses; set together with `local`
        bool is_merge_due = false;
        bool is_lost = false;  // there was no memory: this object must not be used any more
        // Last check of the zone of the last run, since 1970, if the job read that zone first.
        std::optional<std::uint64_t> kept_checked_s;
    };

    // `targets`: nullptr if no program uses the zone.
    KeptZone(build::SecondaryPlan plan, std::shared_ptr<ZoneTargets> targets,
             Exchange exchange = transfer::exchange);

    struct Restored {
        Update update;
        std::uint64_t checked_s = 0;  // since 1970
    };
    // The zone of the last run. No value: there is none. A damaged file is
    // put aside, and is a remark.
    std::optional<Restored> restore(std::string& remark);
    // Asks the primaries, one after the other. `whole`: by AXFR, whatever the serial is.
    Update refresh(bool whole, const std::stop_token& stop);
    // Makes Update::local of the present zone, because the last one was withdrawn.
    void add_local(Update& update);
    // Makes one image of the image and its changes, in memory and on disk.
    Update merge();

  private:
    [[nodiscard]] ExchangeRequest request_for(const config::ZonePrimary& primary, bool whole,
                                              bool any_serial) const;
    // Takes the result of one exchange. False: it failed; see the outcome. `is_older`: the primary
    // has an older zone than this one.
    bool take_reply(Exchanged& got, Update& update, bool& is_older);
    // Makes the zone that a primary sent the present one. False: it is rejected; see the outcome.
    bool take(Exchanged& got, Update& update);
    bool is_within_limits(const ZoneContents& draft, Update& update) const;
    bool is_digest_good(const ZoneContents& draft, Update& update) const;
    // Whether the settings permit this version, from a primary or from disk. If so, it has been
    // compiled for a local zone; else `update` says why not.
    bool may_be_used(const ZoneContents& draft, Update& update);
    // Makes Update::local. False: it has too many names, or its answers are too large.
    bool make_local(const ZoneContents& draft, Update& update);
    [[nodiscard]] static std::vector<config::RecordName> names_in(const ZoneContents& zone);
    // Makes Update::policy. `touched`: the changed owners; nullptr: from all records.
    void make_policy(const std::vector<Bytes>* touched, Update& update);
    // Makes the zones of an unchanged zone again that had no numbers for some targets.
    void retry_targets(Update& update);
    // Sets what Update says about the present zone.
    void describe(Update& update) const;
    // Writes the text for lists, if a plugin reads it.
    void write_list(Update& update) const;

    const build::SecondaryPlan plan_;
    const std::shared_ptr<ZoneTargets> targets_;
    const Exchange exchange_;
    ZoneContents contents_;
    ZoneFile file_;
    // nullptr: no rpz uses the zone, or it is not built yet.
    std::unique_ptr<PolicyBuilder> policy_;
    Skipped local_skipped_;
};

}  // namespace steer::transfer
