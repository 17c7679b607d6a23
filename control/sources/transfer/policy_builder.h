// Makes the zones that workers read from the records of a transferred zone.
//
// build() makes a response policy zone. change() makes one that shares its large tables and has the
// changes in small tables. When those have grown, merge() makes new large tables. A local zone is
// always built from all records.
//
// Used by one thread at a time. build() costs some 0.4 µs per record, change() the changes since
// the last build() or merge().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/program/build/known_answers.h"
#include "control/sources/transfer/policy_records.h"
#include "control/sources/transfer/zone_contents.h"
#include "dataplane/answer/policy_zone.h"
#include "matchers/owner_table.h"

namespace steer::transfer {

// Owners that could not be applied.
struct Skipped {
    std::size_t count = 0;
    std::string first;  // why, with its owner
    // Owners had no number for their target: numbers that the zone gave back rest for a time.
    bool lacks_targets = false;
};

class PolicyBuilder {
  public:
    // Changed names above this, and above a twentieth of all, are worth a merge().
    static constexpr std::size_t kWorthMerging = 20'000;

    PolicyBuilder(Bytes zone, std::shared_ptr<ZoneTargets> targets);
    ~PolicyBuilder();
    PolicyBuilder(const PolicyBuilder&) = delete;
    PolicyBuilder& operator=(const PolicyBuilder&) = delete;

    std::unique_ptr<const PolicyZone> build(const ZoneContents& contents);
    // After build(). `touched`: the owners whose records changed.
    std::unique_ptr<const PolicyZone> change(const ZoneContents& contents,
                                             const std::vector<Bytes>& touched);
    [[nodiscard]] bool is_merge_due() const;
    // Whether the last zone has tables of changes.
    [[nodiscard]] bool has_changes() const { return changes_ != nullptr; }
    // The same zone with one table: as build().
    std::unique_ptr<const PolicyZone> merge(const ZoneContents& contents);

    [[nodiscard]] Skipped skipped() const;

  private:
    struct Draft;  // actions that are not published yet
    struct PrefixAt {
        PolicyTrigger trigger;
        std::uint32_t action;
    };

    // The number of the action of these records; no value: it cannot be applied.
    std::optional<std::uint32_t> action_number(ByteSpan owner, OwnerRecords records, Draft& draft,
                                               std::string& why);
    // Applies the records that an owner has now: its trigger and its action.
    void take_owner(ByteSpan owner, OwnerRecords records, Draft& draft,
                    matchers::OwnerTable& table);
    void skip(ByteSpan owner, std::string why);
    // Sets the action of a name trigger in `table`, and counts it.
    void set_name(const PolicyTrigger& trigger, std::uint32_t action, matchers::OwnerTable& table);
    void build_prefixes();
    [[nodiscard]] std::unique_ptr<const PolicyZone> zone_of(const ZoneContents& contents) const;

    const Bytes zone_;
    const std::shared_ptr<ZoneTargets> targets_;
    std::shared_ptr<const matchers::OwnerTable> names_, changes_;
    std::shared_ptr<const PolicyActions> actions_, more_;
    std::shared_ptr<const matchers::PrefixValues> clients_, addresses_;
    std::map<std::string, std::uint32_t> numbers_;  // of actions, by their records
    Bytes last_records_;  // most owners have the records of the owner before
    std::uint32_t last_number_ = PolicyZone::kNone;
    std::size_t triggers_ = 0;  // on names
    std::uint32_t all_ = PolicyZone::kNone;
    std::map<Bytes, PrefixAt, CanonicalLess> prefixes_;  // by owner
    std::map<Bytes, std::string, CanonicalLess> skipped_;
    bool are_prefixes_changed_ = true;
    bool lacks_targets_ = false;
};

// A zone that answers by its records, with AA (RFC 1034 4.3.2, RFC 4592): NXDOMAIN and NODATA with
// its SOA, wildcards, CNAMEs inside the zone resolved. The rest of the program answers names at and
// below a delegation, and below a DNAME.
//
// nullptr: the zone has more than `most_names` names, or its answers and the records that they are
// made of take more than `most_bytes`. Empty non-terminals are names, too: up to 126 for one name.
// Each alias of a name with many records has an answer of its own.
std::unique_ptr<const PolicyZone> build_local_zone(const ZoneContents& contents,
                                                   const std::shared_ptr<ZoneTargets>& targets,
                                                   Skipped& skipped, std::size_t most_names,
                                                   std::size_t most_bytes);

// Why an owner has no number for its target.
std::string too_many_targets(const ZoneTargets& targets);

}  // namespace steer::transfer
