#include "control/sources/transfer/policy_builder.h"

#include <algorithm>
#include <utility>

#include "control/program/build/policy_action.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "dataplane/policy/rewrites.h"

namespace steer::transfer {

using matchers::OwnerTable;

namespace {

constexpr std::size_t kMergeShare = 20;  // a twentieth of the names

// Whether the owner has a CNAME to itself, the old form of passthru.
bool is_own_alias(ByteSpan owner, OwnerRecords records, ByteSpan zone) {
    const auto cname = records.find(dns::kCname);
    return cname && std::ranges::equal(cname->rdata, below_zone(owner, zone));
}

// The records that make an action, as a key. An own alias depends on the owner.
std::string key_of(OwnerRecords records, bool is_own) {
    Bytes key;
    records.for_each([&](const ZoneRecord& record) {
        if (is_policy_type(record.type)) OwnerRecords::add(key, record);
    });
    return std::string(key.begin(), key.end()) + (is_own ? "own" : "");
}

}  // namespace

std::string too_many_targets(const ZoneTargets& targets) {
    return "the zone may have " + std::to_string(targets.share()) +
           " different targets of CNAMEs, with those of the last " +
           std::to_string(LiveTargets::kRestS / 60) + " minutes";
}

// New actions, over those that are published. An AnswerStore cannot be added to while workers read
// it, so it is copied.
struct PolicyBuilder::Draft {
    Draft(std::uint32_t first_number, const PolicyActions* before)
        : first(first_number),
          actions(before == nullptr ? std::make_shared<PolicyActions>()
                                    : std::make_shared<PolicyActions>(*before)),
          known(actions->answers) {}
    std::uint32_t first;
    std::shared_ptr<PolicyActions> actions;
    build::KnownAnswers known;
    bool has_new = false;
};

PolicyBuilder::PolicyBuilder(Bytes zone, std::shared_ptr<ZoneTargets> targets)
    : zone_(std::move(zone)), targets_(std::move(targets)) {}
PolicyBuilder::~PolicyBuilder() = default;

std::optional<std::uint32_t> PolicyBuilder::action_number(ByteSpan owner, OwnerRecords records,
                                                          Draft& draft, std::string& why) {
    const bool is_own = is_own_alias(owner, records, zone_);
    if (!is_own && last_number_ != PolicyZone::kNone &&
        std::ranges::equal(records.bytes(), last_records_))
        return last_number_;
    std::string key = key_of(records, is_own);
    const auto remember = [&](std::uint32_t number) {
        if (is_own) return number;
        last_records_.assign(records.bytes().begin(), records.bytes().end());
        last_number_ = number;
        return number;
    };
    if (const auto known = numbers_.find(key); known != numbers_.end())
        return remember(known->second);
    const auto action = policy_action_of(owner, records, zone_);
    if (!action) {
        why = action.error().text;
        return std::nullopt;
    }
    const auto alias = [&](const config::RpzAction& of) -> std::optional<std::uint16_t> {
        const bool is_below = of.does == config::RpzAction::Does::alias_below;
        const auto number =
            draft.actions->targets.number_of(targets_, of.target, is_below, of.ttl_s);
        if (!number) return std::nullopt;
        return static_cast<std::uint16_t>(Rewrites::kFirstLive + *number);
    };
    std::vector<std::uint16_t> too_long;
    const auto made =
        build::policy_action(*action, draft.known, draft.actions->typed, alias, too_long);
    if (!made) {
        why = dns::name_to_text(owner) + ": " + too_many_targets(*targets_);
        lacks_targets_ = true;
        return std::nullopt;
    }
    const auto number = draft.first + static_cast<std::uint32_t>(draft.actions->actions.size());
    draft.actions->actions.push_back(*made);
    draft.has_new = true;
    numbers_.emplace(std::move(key), number);
    return remember(number);
}

void PolicyBuilder::skip(ByteSpan owner, std::string why) {
    skipped_[Bytes(owner.begin(), owner.end())] = std::move(why);
}

void PolicyBuilder::take_owner(ByteSpan owner, OwnerRecords records, Draft& draft,
                               OwnerTable& table) {
    using Kind = PolicyTrigger::Kind;
    const auto trigger = policy_trigger(owner, zone_);
    bool has_policy = false;
    records.for_each(
        [&](const ZoneRecord& r) { has_policy = has_policy || is_policy_type(r.type); });
    if (!trigger) {
        if (has_policy) skip(owner, trigger.error().text);
        return;
    }
    if (trigger->kind == Kind::none) return;
    std::uint32_t action = PolicyZone::kNone;
    if (has_policy) {
        std::string why;
        if (const auto number = action_number(owner, records, draft, why)) {
            action = *number;
        } else {
            skip(owner, std::move(why));
        }
    }
    switch (trigger->kind) {
        case Kind::none:
            break;
        case Kind::name:
        case Kind::below:
            set_name(*trigger, action, table);
            break;
        case Kind::client:
        case Kind::address: {
            Bytes at(owner.begin(), owner.end());
            are_prefixes_changed_ = true;
            if (action == PolicyZone::kNone) {
                prefixes_.erase(at);
            } else {
                prefixes_.insert_or_assign(std::move(at), PrefixAt{*trigger, action});
            }
            break;
        }
    }
}

void PolicyBuilder::set_name(const PolicyTrigger& trigger, std::uint32_t action,
                             OwnerTable& table) {
    const bool is_below = trigger.kind == PolicyTrigger::Kind::below;
    std::uint32_t before = PolicyZone::kNone;
    if (trigger.name.size() == 1) {
        before = std::exchange(all_, action);
    } else {
        const auto value_in = [&](const OwnerTable& in) {
            const OwnerTable::Values* const values = in.values_of(trigger.name);
            if (values == nullptr) return OwnerTable::kSame;
            return is_below ? values->below : values->exact;
        };
        before = value_in(table);
        if (before == OwnerTable::kSame && names_ != nullptr) before = value_in(*names_);
        if (before == OwnerTable::kSame) before = PolicyZone::kNone;
        is_below ? table.set_below(trigger.name, action) : table.set_exact(trigger.name, action);
    }
    if (before != PolicyZone::kNone) --triggers_;
    if (action != PolicyZone::kNone) ++triggers_;
}

void PolicyBuilder::build_prefixes() {
    if (!std::exchange(are_prefixes_changed_, false)) return;
    std::vector<matchers::PrefixValues::Rule> clients, addresses;
    for (const auto& [owner, at] : prefixes_) {
        auto& rules = at.trigger.kind == PolicyTrigger::Kind::client ? clients : addresses;
        rules.push_back({at.trigger.prefix, at.trigger.is_v4, at.action});
    }
    clients_ = std::make_shared<const matchers::PrefixValues>(std::move(clients));
    addresses_ = std::make_shared<const matchers::PrefixValues>(std::move(addresses));
}

std::unique_ptr<const PolicyZone> PolicyBuilder::zone_of(const ZoneContents& contents) const {
    auto out = std::make_unique<PolicyZone>();
    out->names = names_;
    out->changes = changes_;
    out->all = all_;
    out->clients = clients_;
    out->addresses = addresses_;
    out->actions = actions_;
    out->more = more_;
    out->triggers = triggers_ + prefixes_.size();
    if (const auto soa = contents.soa()) out->serial = soa->serial;
    return out;
}

std::unique_ptr<const PolicyZone> PolicyBuilder::build(const ZoneContents& contents) {
    numbers_.clear();
    prefixes_.clear();
    skipped_.clear();
    all_ = PolicyZone::kNone;
    triggers_ = 0;
    last_number_ = PolicyZone::kNone;
    are_prefixes_changed_ = true;
    lacks_targets_ = false;
    names_.reset();
    changes_.reset();
    Draft draft(0, nullptr);
    OwnerTable table;
    contents.for_each(
        [&](ByteSpan owner, OwnerRecords records) { take_owner(owner, records, draft, table); });
    names_ = std::make_shared<const OwnerTable>(std::move(table));
    actions_ = draft.actions;
    more_.reset();
    build_prefixes();
    return zone_of(contents);
}

std::unique_ptr<const PolicyZone> PolicyBuilder::change(const ZoneContents& contents,
                                                        const std::vector<Bytes>& touched) {
    Draft draft(static_cast<std::uint32_t>(actions_->actions.size()), more_.get());
    auto table = changes_ == nullptr ? std::make_shared<OwnerTable>(OwnerTable::changes_of(*names_))
                                     : std::make_shared<OwnerTable>(*changes_);
    for (const Bytes& owner : touched) {
        skipped_.erase(owner);
        take_owner(owner, contents.find(owner), draft, *table);
    }
    changes_ = std::move(table);
    if (draft.has_new) more_ = draft.actions;
    build_prefixes();
    return zone_of(contents);
}

bool PolicyBuilder::is_merge_due() const {
    const std::size_t changed = changes_ == nullptr ? 0 : changes_->size();
    const std::size_t most =
        std::max(kWorthMerging, names_ == nullptr ? 0 : names_->size() / kMergeShare);
    return changed > most || (more_ != nullptr && more_->actions.size() > most);
}

std::unique_ptr<const PolicyZone> PolicyBuilder::merge(const ZoneContents& contents) {
    return build(contents);
}

Skipped PolicyBuilder::skipped() const {
    return {skipped_.size(), skipped_.empty() ? std::string() : skipped_.begin()->second,
            lacks_targets_};
}

}  // namespace steer::transfer
