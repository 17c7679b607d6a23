#include "control/sources/rules/bounded_change.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "control/config/advice/why.h"
#include "control/config/reading.h"
#include "control/sources/rules/rule_file.h"
#include "control/sources/rules/rule_origins.h"

namespace steer::rules {
namespace {

using Is = BoundedChange::Is;

bool is_expired(const config::RuleFile& file, const RuleOrigin& origin, std::int64_t now_ms) {
    return file.entry_ttl_s != 0 && origin.is_learned &&
           now_ms - origin.since_ms >= std::int64_t{file.entry_ttl_s} * 1000;
}

// The keys of the file's rules, or of those that it will be created with.
Result<std::set<std::string>> keys_in(const config::RuleFile& file) {
    std::string text;
    std::error_code error;
    if (!std::filesystem::exists(file.file, error) && !error) {
        for (const std::string& rule : file.first)
            text.append(rule).append("\n");
    } else {
        auto bytes = config::Reading::read_text(file.file);
        if (!bytes) return Error{file.file + " cannot be read: " + bytes.error().text};
        text = *std::move(bytes);
    }
    std::set<std::string> keys;
    for (const auto& listed : matchers::read_rules(text, "", matchers::RuleKind::domain).rules)
        keys.insert(config::rule_text(listed.rule));
    return {boost::system::in_place_value, std::move(keys)};
}

// Decides on each change in turn; nothing is written.
class Plan {
  public:
    Plan(const config::RuleFile& file, std::set<std::string> keys, RuleOrigins origins,
         std::int64_t now_ms)
        : file_(file),
          keys_(std::move(keys)),
          origins_(std::move(origins)),
          before_(origins_),
          now_ms_(now_ms) {
        // Of rules that another process removed; and a clock that ran ahead must not keep a rule for ever.
        std::erase_if(origins_, [&](const auto& one) { return !keys_.contains(one.first); });
        for (auto& [_, origin] : origins_)
            origin.since_ms = std::min(origin.since_ms, now_ms);
    }

    void take(const OwnedChange& owned) {
        const std::string key = config::rule_text(owned.change.rule);
        const bool is_there = keys_.contains(key);
        if (!owned.change.add) {
            remove(owned, key, is_there);
        } else if (is_there) {
            if (owned.by == ChangedBy::person) keep(key);
            note(Is::unchanged, std::nullopt);
        } else {
            add(owned, key);
        }
    }

    [[nodiscard]] const std::vector<RuleChange>& changes() const { return changes_; }
    // By change: what is decided, or the place in changes() whose result it has.
    struct Decided {
        Is is;
        std::optional<std::size_t> place;
    };
    [[nodiscard]] const std::vector<Decided>& decided() const { return decided_; }
    [[nodiscard]] const std::vector<std::size_t>& displaced() const { return displaced_; }
    [[nodiscard]] const RuleOrigins& before() const { return before_; }
    [[nodiscard]] const RuleOrigins& after() const { return origins_; }
    // With the origins of rules that are removed, for the time until they are.
    [[nodiscard]] RuleOrigins meanwhile() const {
        RuleOrigins both = origins_;
        both.insert(before_.begin(), before_.end());
        return both;
    }

  private:
    void note(Is is, std::optional<std::size_t> place) { decided_.push_back({is, place}); }
    void note_change(RuleChange change) {
        note(Is::changed, changes_.size());
        changes_.push_back(std::move(change));
    }

    // What a person adds is that person's, also if it was learned before.
    void keep(const std::string& key) {
        const auto at = origins_.find(key);
        if (at != origins_.end() && at->second.is_learned) at->second = {false, now_ms_};
    }

    void remove(const OwnedChange& owned, const std::string& key, bool is_there) {
        const auto origin = origins_.find(key);
        const bool may = owned.by != ChangedBy::age ||
                         (origin != origins_.end() && is_expired(file_, origin->second, now_ms_));
        if (!is_there || !may) return note(Is::unchanged, std::nullopt);
        forget(key);
        note_change(owned.change);
    }

    void add(const OwnedChange& owned, const std::string& key) {
        const bool is_full = file_.max_entries != 0 && keys_.size() >= file_.max_entries;
        if (is_full && (owned.by != ChangedBy::person || !displace()))
            return note(Is::no_room, std::nullopt);
        keys_.insert(key);
        if (!file_.origins_file.empty()) origins_[key] = {owned.by == ChangedBy::query, now_ms_};
        note_change(owned.change);
    }

    // Removes the rule that was learned first, until a rule fits. False: no rule was learned.
    bool displace() {
        if (!std::exchange(is_sorted_, true)) {
            for (const auto& [key, origin] : origins_)
                if (origin.is_learned) oldest_first_.emplace_back(origin.since_ms, key);
            std::ranges::sort(oldest_first_, std::greater<>());
        }
        while (keys_.size() >= file_.max_entries) {
            if (oldest_first_.empty()) return false;
            const std::string key = std::move(oldest_first_.back().second);
            oldest_first_.pop_back();
            const auto origin = origins_.find(key);
            if (origin == origins_.end() || !origin->second.is_learned) continue;
            auto removal = make_change(false, key);
            if (!removal) continue;
            forget(key);
            displaced_.push_back(changes_.size());
            changes_.push_back(*std::move(removal));
        }
        return true;
    }

    void forget(const std::string& key) {
        keys_.erase(key);
        origins_.erase(key);
    }

    const config::RuleFile& file_;
    std::set<std::string> keys_;
    RuleOrigins origins_, before_;
    const std::int64_t now_ms_;
    std::vector<RuleChange> changes_;
    std::vector<Decided> decided_;
    std::vector<std::size_t> displaced_;                              // places in changes_
    std::vector<std::pair<std::int64_t, std::string>> oldest_first_;  // the oldest is the last
    bool is_sorted_ = false;
};

Result<BoundedChange> change_unbounded(const config::RuleFile& file,
                                       std::span<const OwnedChange> changes) {
    std::vector<RuleChange> plain;
    plain.reserve(changes.size());
    for (const OwnedChange& one : changes)
        plain.push_back(one.change);
    const auto changed = change_rule_file(file, plain);
    if (!changed) return changed.error();
    BoundedChange out;
    for (const bool one : *changed)
        out.results.push_back(one ? Is::changed : Is::unchanged);
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace

Result<BoundedChange> change_bounded(const config::RuleFile& file,
                                     std::span<const OwnedChange> changes, std::int64_t now_ms) {
    if (file.max_entries == 0 && file.origins_file.empty()) return change_unbounded(file, changes);
    auto keys = keys_in(file);
    if (!keys) return keys.error();
    auto origins = read_rule_origins(file.origins_file);
    if (!origins) return origins.error();
    Plan plan(file, *std::move(keys), *std::move(origins), now_ms);
    for (const OwnedChange& one : changes)
        plan.take(one);
    const bool keeps_origins = !file.origins_file.empty();
    const RuleOrigins meanwhile = plan.meanwhile();
    if (keeps_origins && meanwhile != plan.before()) {
        if (auto written = write_rule_origins(file.origins_file, meanwhile); !written)
            return written.error();
    }
    const auto changed = change_rule_file(file, plan.changes());
    if (!changed) {
        if (keeps_origins && meanwhile != plan.before())
            (void)write_rule_origins(file.origins_file, plan.before());
        return changed.error();
    }
    if (keeps_origins && plan.after() != meanwhile) {
        if (auto written = write_rule_origins(file.origins_file, plan.after()); !written)
            return written.error();
    }
    BoundedChange out;
    for (const auto& [is, place] : plan.decided())
        out.results.push_back(place && !(*changed)[*place] ? Is::unchanged : is);
    for (const std::size_t place : plan.displaced())
        out.displaced += (*changed)[place] ? 1U : 0U;
    return {boost::system::in_place_value, std::move(out)};
}

Result<std::vector<RuleChange>> expired_rules(const config::RuleFile& file, std::int64_t now_ms) {
    auto origins = read_rule_origins(file.origins_file);
    if (!origins) return origins.error();
    std::vector<RuleChange> out;
    for (const auto& [key, origin] : *origins) {
        if (!is_expired(file, origin, now_ms)) continue;
        if (auto removal = make_change(false, key)) out.push_back(*std::move(removal));
    }
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace steer::rules
