// Makes the zone that workers read from the records of a local zone (policy_builder.h).
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "control/program/build/known_answers.h"
#include "control/sources/transfer/policy_builder.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/walk.h"
#include "dataplane/dns/wire.h"
#include "dataplane/policy/rewrites.h"

namespace steer::transfer {
namespace {

using Owned = build::KnownAnswers::OwnedRecord;
using Does = PolicyAction::Does;

bool is_in_an_answer(std::uint16_t type) {
    return type != dns::kRrsig && type != dns::kNsec && type != dns::kNsec3;
}

class LocalZoneBuilder {
  public:
    LocalZoneBuilder(const ZoneContents& contents, const std::shared_ptr<ZoneTargets>& targets,
                     Skipped& skipped, std::size_t most_names, std::size_t most_bytes)
        : contents_(contents),
          targets_(targets),
          skipped_(skipped),
          most_names_(most_names),
          most_bytes_(most_bytes),
          apex_(contents.zone()),
          known_(actions_->answers) {}

    std::unique_ptr<const PolicyZone> build() {
        find_names();
        if (has_too_many()) return nullptr;
        set_negatives();
        for (const Bytes& name : names_) {
            add_name(name);
            // Each name with a CNAME to the same large set reads it, and has a copy of it.
            if (used_bytes_ > most_bytes_) return nullptr;
        }
        for (const Bytes& cut : cuts_) {
            table_.set_exact(cut, passthru_);
            table_.set_below(cut, passthru_);
        }
        for (const Bytes& owner : renamed_)
            table_.set_below(owner, passthru_);
        auto out = std::make_unique<PolicyZone>();
        out->names = std::make_shared<const matchers::OwnerTable>(std::move(table_));
        out->clients = out->addresses = std::make_shared<const matchers::PrefixValues>();
        out->actions = actions_;
        out->triggers = names_.size();
        if (const auto soa = contents_.soa()) out->serial = soa->serial;
        return out;
    }

  private:
    [[nodiscard]] bool has_too_many() const { return names_.size() > most_names_; }

    // Finds names with records, empty non-terminals, delegations and DNAMEs.
    void find_names() {
        contents_.for_each([&](ByteSpan owner, OwnerRecords records) {
            if (has_too_many()) return;
            if (!cuts_.empty() && is_in_zone(owner, *cuts_.rbegin())) return;
            if (!renamed_.empty() && owner.size() > renamed_.rbegin()->size() &&
                is_in_zone(owner, *renamed_.rbegin()))
                return;
            const Bytes name(owner.begin(), owner.end());
            if (name != apex_ && records.find(dns::kNs)) {
                cuts_.insert(name);
            } else if (records.find(dns::kDname)) {
                renamed_.insert(name);
            }
            if (!cuts_.contains(name)) names_.insert(name);
            for (ByteSpan above = owner; above.size() > apex_.size();) {
                above = parent_of(above);
                if (!names_.emplace(above.begin(), above.end()).second) break;
            }
        });
    }

    std::uint32_t add(PolicyAction action) {
        actions_->actions.push_back(action);
        return static_cast<std::uint32_t>(actions_->actions.size() - 1);
    }

    void set_negatives() {
        const auto soa = contents_.find(apex_).find(dns::kSoa);
        if (soa) {
            const auto fields = soa_of(soa->rdata);
            const std::uint32_t ttl_s =
                fields ? std::min(fields->minimum_s, soa->ttl_s) : soa->ttl_s;  // RFC 2308 5
            authority_.push_back(
                {apex_, {dns::kSoa, dns::kIn, ttl_s, {soa->rdata.begin(), soa->rdata.end()}}});
        }
        PolicyAction nothing;
        nothing.answer = known_.of_sections(dns::kNxDomain, dns::kA, {}, authority_);
        nxdomain_ = add(nothing);
        nothing.answer = nodata_answer();
        nodata_ = add(nothing);
        PolicyAction passes;
        passes.does = Does::passthru;
        passthru_ = add(passes);
    }

    AnswerRef nodata_answer() { return known_.of_sections(dns::kNoError, dns::kA, {}, authority_); }

    void add_name(const Bytes& name) {
        const OwnerRecords records = contents_.find(name);
        const std::uint32_t action = records.empty() ? nodata_ : action_of(name, records);
        table_.set_exact(name, action);
        // RFC 4592 3.3.1: the wildcard of the closest encloser, or nothing.
        Bytes star{1, '*'};
        star.insert(star.end(), name.begin(), name.end());
        const OwnerRecords wild = names_.contains(star) ? contents_.find(star) : OwnerRecords();
        table_.set_below(name, wild.empty() ? nxdomain_ : action_of(star, wild));
    }

    std::uint32_t action_of(const Bytes& owner, OwnerRecords records) {
        if (const auto known = made_.find(owner); known != made_.end()) return known->second;
        const auto cname = records.find(dns::kCname);
        const std::uint32_t action = cname ? alias_action(owner, *cname) : data_action({}, records);
        made_.emplace(owner, action);
        return action;
    }

    // The records of one name behind a chain of CNAMEs. The last CNAME leads to `owner`. Without a
    // chain: the records of the question's name.
    std::uint32_t data_action(const std::vector<Owned>& chain, OwnerRecords records,
                              const Bytes& owner = {}) {
        PolicyAction action;
        action.does = Does::records;
        used_bytes_ += records.bytes().size();
        std::map<std::uint16_t, std::vector<Owned>> sets;
        records.for_each([&](const ZoneRecord& record) {
            if (!is_in_an_answer(record.type)) return;
            auto& set = sets.try_emplace(record.type, chain).first->second;
            set.push_back({owner,
                           {record.type,
                            dns::kIn,
                            record.ttl_s,
                            {record.rdata.begin(), record.rdata.end()}}});
        });
        action.typed.first = static_cast<std::uint32_t>(actions_->typed.size());
        for (const auto& [type, set] : sets)
            add_typed(type, set);
        if (!chain.empty()) add_typed(dns::kCname, {chain.front()});
        action.typed.count =
            static_cast<std::uint32_t>(actions_->typed.size()) - action.typed.first;
        action.answer = chain.empty() ? nodata_answer() : ending(chain, dns::kNoError);
        return add(action);
    }

    void add_typed(std::uint16_t type, const std::vector<Owned>& set) {
        const AnswerRef answer = known_.of_sections(dns::kNoError, type, set, {});
        if (answer != kNoAnswer) {
            actions_->typed.push_back({type, dns::kIn, answer});
            used_bytes_ += actions_->answers.at(answer).size();
        } else {
            skip("the records of type " + std::to_string(type) + " of a name are too long");
        }
    }

    // The answer of a chain that leads to a name without the type, or to no name (RFC 6604 3).
    AnswerRef ending(const std::vector<Owned>& chain, std::uint8_t rcode) {
        return known_.of_sections(rcode, dns::kA, chain, authority_);
    }

    std::uint32_t alias_action(const Bytes& owner, const ZoneRecord& first) {
        std::vector<Owned> chain;
        Bytes at;  // the owner of the next CNAME; empty: the question
        ZoneRecord cname = first;
        for (unsigned links = 0; links < dns::kMaxLinks; ++links) {
            const Bytes target(cname.rdata.begin(), cname.rdata.end());
            chain.push_back({at, {dns::kCname, dns::kIn, cname.ttl_s, target}});
            if (!is_answered_here(target)) return outside(chain, target);
            const OwnerRecords records = records_for(target);
            const bool is_there = names_.contains(target) || !records.empty();
            if (!is_there) return chain_end(chain, dns::kNxDomain);
            if (records.empty()) return chain_end(chain, dns::kNoError);
            const auto next = records.find(dns::kCname);
            if (!next) return data_action(chain, records, target);
            at = target;
            cname = *next;
        }
        skip(dns::name_to_text(owner) + ": its chain of CNAMEs is too long, or a loop");
        PolicyAction none;
        none.answer = known_.unkept(known_.empty(dns::kServFail));
        return add(none);
    }

    std::uint32_t chain_end(const std::vector<Owned>& chain, std::uint8_t rcode) {
        PolicyAction action;
        action.does = Does::records;
        action.typed.first = static_cast<std::uint32_t>(actions_->typed.size());
        add_typed(dns::kCname, {chain.front()});
        action.typed.count =
            static_cast<std::uint32_t>(actions_->typed.size()) - action.typed.first;
        action.answer = ending(chain, rcode);
        return add(action);
    }

    // The rest of the program resolves the name that the chain leads to.
    std::uint32_t outside(const std::vector<Owned>& chain, const Bytes& target) {
        const auto number =
            actions_->targets.number_of(targets_, target, false, chain.front().record.ttl_s);
        PolicyAction action;
        action.answer = known_.of_sections(dns::kNoError, dns::kCname, {chain.front()}, {});
        if (!number) {
            skip(too_many_targets(*targets_));
            skipped_.lacks_targets = true;
            return add(action);
        }
        action.does = Does::alias;
        action.alias = static_cast<std::uint16_t>(Rewrites::kFirstLive + *number);
        return add(action);
    }

    [[nodiscard]] bool is_answered_here(const Bytes& name) const {
        if (!is_in_zone(name, apex_)) return false;
        for (ByteSpan above = name; above.size() > apex_.size(); above = parent_of(above)) {
            const Bytes one(above.begin(), above.end());
            if (cuts_.contains(one)) return false;
            if (one != name && renamed_.contains(one)) return false;
        }
        return true;
    }

    // The records of the name, or of the wildcard that covers it.
    [[nodiscard]] OwnerRecords records_for(const Bytes& name) const {
        if (names_.contains(name)) return contents_.find(name);
        for (ByteSpan above = name; above.size() > apex_.size();) {
            above = parent_of(above);
            if (!names_.contains(Bytes(above.begin(), above.end()))) continue;
            Bytes star{1, '*'};
            star.insert(star.end(), above.begin(), above.end());
            return contents_.find(star);
        }
        return {};
    }

    void skip(std::string why) {
        if (skipped_.count++ == 0) skipped_.first = std::move(why);
    }

    const ZoneContents& contents_;
    const std::shared_ptr<ZoneTargets>& targets_;
    Skipped& skipped_;
    const std::size_t most_names_, most_bytes_;
    const Bytes apex_;
    std::shared_ptr<PolicyActions> actions_ = std::make_shared<PolicyActions>();
    build::KnownAnswers known_;
    matchers::OwnerTable table_;
    std::set<Bytes, CanonicalLess> names_, cuts_, renamed_;
    std::map<Bytes, std::uint32_t, CanonicalLess> made_;
    std::vector<Owned> authority_;
    std::uint32_t nxdomain_ = 0, nodata_ = 0, passthru_ = 0;
    std::size_t used_bytes_ = 0;  // of records that were read, and of answers
};

}  // namespace

std::unique_ptr<const PolicyZone> build_local_zone(const ZoneContents& contents,
                                                   const std::shared_ptr<ZoneTargets>& targets,
                                                   Skipped& skipped, std::size_t most_names,
                                                   std::size_t most_bytes) {
    skipped = {};
    return LocalZoneBuilder(contents, targets, skipped, most_names, most_bytes).build();
}

}  // namespace steer::transfer
