// Compiler: local names and separate paths: static records, ad lists, zones.
#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "control/config/advice/why.h"
#include "control/config/lists/list_source.h"
#include "control/program/build/compile.h"
#include "control/program/build/policy_action.h"
#include "dataplane/dns/name.h"

namespace steer::build {
namespace {

using config::StaticEntry;

// TTL of negative answers: no record of a type, or no such name.
constexpr std::uint32_t kNegativeTtl = 60;
constexpr std::uint16_t kOtherTypes = 0;

// The entries of one owner, in their order.
using Group = std::vector<StaticEntry>;

std::vector<Group> groups_of(const std::vector<StaticEntry>& entries) {
    std::vector<Group> out;
    std::map<std::pair<matchers::RuleKind, std::string>, std::size_t> known;
    for (const StaticEntry& entry : entries) {
        const auto [at, fresh] =
            known.try_emplace({entry.owner.rule.kind, entry.owner.rule.text}, out.size());
        if (fresh) out.emplace_back();
        out[at->second].push_back(entry);
    }
    return out;
}

// A FWD record for a domain: the DS record of the domain itself is its parent's (RFC 4035 3.1.4.1).
bool is_zone_cut(const StaticEntry& entry) {
    return entry.does == StaticEntry::Does::forward && entry.forwarder &&
           entry.owner.rule.kind == matchers::RuleKind::domain;
}

// The same for its DS record: the rest of the program is asked.
StaticEntry as_of_parent(StaticEntry entry) {
    entry.owner.rule.kind = matchers::RuleKind::full;
    entry.forwarder.reset();
    entry.list.reset();
    return entry;
}

std::set<std::uint16_t> types_of(const std::vector<StaticEntry>& entries) {
    std::set<std::uint16_t> out{kOtherTypes};
    for (const StaticEntry& entry : entries) {
        if (entry.does == StaticEntry::Does::record || entry.does == StaticEntry::Does::alias)
            out.insert(entry.record.type);
        if (is_zone_cut(entry)) out.insert(dns::kDs);
    }
    return out;
}

// The first entry with a record for the type; nullptr: none.
const StaticEntry* first_for(const Group& group, std::uint16_t qtype) {
    const auto at = std::find_if(group.begin(), group.end(), [&](const StaticEntry& e) {
        return e.does != StaticEntry::Does::record || e.record.type == qtype;
    });
    return at == group.end() ? nullptr : &*at;
}

bool checks_answers(const config::AdList& args) {
    return args.cname.value_or(true);
}

}  // namespace

// Emits an entry's forward and list, then the end or a jump to the rest of the program (`rests` gets it).
// A list is claimed inside the cache, which stores it, so hits claim it again.
std::uint16_t Compiler::static_end(const StaticEntry& entry,
                                   std::optional<config::PluginIndex> cache, std::uint16_t instance,
                                   int line, unsigned depth, std::vector<std::uint16_t>& rests) {
    const std::uint16_t first = next_pc();
    const bool asks_rest = entry.does == StaticEntry::Does::forward && !entry.forwarder;
    if (entry.forwarder) {
        own_cache(cache, instance, line, depth);
        const auto& forward = std::get<config::Forward>(settings_.plugin(*entry.forwarder).args);
        const std::uint16_t pc =
            emit(Op::forward, instance, line, group_of(*entry.forwarder, forward));
        if (!too_long_) {
            snapshot_.program[pc].with_special = true;
            snapshot_.program[pc].of_zone = true;
        }
    }
    if (entry.list)
        emit(asks_rest ? Op::enter_list : Op::claim_list, instance, line,
             list_places_.at(*entry.list));
    const std::uint16_t last = emit(asks_rest ? Op::go_to : Op::stop, instance, line);
    if (asks_rest) rests.push_back(last);
    return first;
}

ProgramSource::Record Compiler::source_of(const StaticEntry& entry, std::uint16_t qtype) {
    const bool is_of_type = entry.does == StaticEntry::Does::record;
    return {.rule = config::rule_text(entry.owner.rule),
            .qtype = is_of_type ? qtype : std::uint16_t{0},
            .file = static_cast<std::uint16_t>(config::source_of(entry.line)),
            .line = static_cast<std::uint32_t>(config::line_in_source(entry.line))};
}

steer::StaticRecords::Does Compiler::static_deed(const Group& group, const StaticEntry& first,
                                                 std::uint16_t qtype) {
    steer::StaticRecords::Does does;
    switch (first.does) {
        case StaticEntry::Does::nxdomain:
            does.answer = known_.authoritative(known_.negative(dns::kNxDomain, kNegativeTtl));
            break;
        case StaticEntry::Does::alias:
            if (qtype == dns::kCname) {
                does.answer =
                    known_.authoritative(known_.of_records(qtype, dns::kIn, {first.record}));
                break;
            }
            does.alias = static_cast<std::uint16_t>(snapshot_.redirect_targets.size());
            snapshot_.redirect_targets.push_back(first.target);
            snapshot_.redirect_ttls.resize(does.alias, 1);
            snapshot_.redirect_ttls.push_back(first.record.ttl_s);
            break;
        case StaticEntry::Does::forward:
            break;
        case StaticEntry::Does::record: {
            std::vector<config::KnownRecord> records;
            for (const StaticEntry& entry : group) {
                const bool is_one =
                    entry.does == StaticEntry::Does::record && entry.record.type == qtype &&
                    std::none_of(records.begin(), records.end(),
                                 [&](auto& r) { return r.rdata == entry.record.rdata; });
                if (is_one) records.push_back(entry.record);
            }
            does.answer = known_.authoritative(known_.of_records(qtype, dns::kIn, records));
            if (does.answer == kNoAnswer)
                error(first.line, "the records of " + first.owner.rule.text +
                                      " are longer than a message may be: write fewer");
        }
    }
    return does;
}

void Compiler::static_records(config::PluginIndex index, const config::StaticRecords& args,
                              int line, std::uint16_t instance, unsigned& depth) {
    if (args.entries.empty()) return;
    std::vector<config::RuleAt> rules;
    for (const StaticEntry& entry : args.entries)
        rules.push_back(entry.owner);
    const std::uint16_t test = emit(Op::if_tags, instance, line, masks_.mask_of(index, rules));
    const auto place = static_cast<std::uint32_t>(snapshot_.statics.size());
    snapshot_.statics.emplace_back();
    enter(Op::static_records, instance, line, place, depth);
    ++depth;  // it may be entered twice
    std::vector<std::uint16_t> rests{emit(Op::go_to, instance, line)};
    if (too_long_) return;
    snapshot_.program[test + 1U].target = test;

    steer::StaticRecords out;
    std::vector<ProgramSource::Record> source;
    out.nothing = known_.authoritative(known_.negative(dns::kNoError, kNegativeTtl));
    const std::vector<Group> groups = groups_of(args.entries);
    using End =
        std::tuple<bool, std::optional<config::PluginIndex>, std::optional<config::PluginIndex>>;
    std::map<End, std::uint16_t> ends;
    for (const std::uint16_t type : types_of(args.entries)) {
        matchers::NameValuesBuilder names(matchers::NameValues::Wins::first);
        const auto add = [&](const Group& group, const StaticEntry* first) {
            steer::StaticRecords::Does does = static_deed(group, *first, type);
            const End end{first->does == StaticEntry::Does::forward, first->forwarder, first->list};
            const auto known = ends.find(end);
            does.pc = known != ends.end()
                          ? known->second
                          : static_end(*first, args.cache, instance, line, depth, rests);
            ends.emplace(end, does.pc);
            names.add(first->owner.rule, static_cast<std::uint32_t>(out.does.size()),
                      settings_.files[first->owner.file], first->owner.line);
            out.does.push_back(does);
            source.push_back(source_of(*first, type));
        };
        for (const Group& group : groups) {
            const StaticEntry* const first = first_for(group, type);
            if (first == nullptr) continue;
            if (type == dns::kDs && is_zone_cut(*first)) {
                const StaticEntry cut = as_of_parent(*first);
                add(group, &cut);
            }
            add(group, first);
        }
        if (type == kOtherTypes)
            out.by_name = names.build(errors_);
        else
            out.by_type.push_back({type, names.build(errors_)});
    }
    if (snapshot_.redirect_targets.size() > kMaxRedirectTargets)
        error(line, "redirects and static CNAME records have more than " +
                        std::to_string(kMaxRedirectTargets) + " targets: write fewer");
    snapshot_.statics[place] = std::move(out);
    snapshot_.source.records.resize(place + 1U);
    snapshot_.source.records[place] = std::move(source);
    if (too_long_) return;
    rests.push_back(test);
    land(rests);
}

void Compiler::ad_list(config::PluginIndex index, const config::AdList& args, int line,
                       std::uint16_t instance) {
    const auto [at, fresh] = place_of(index, snapshot_.ad_lists);
    if (fresh) {
        ad_masks_.push_back(ad_masks_of(args));
        snapshot_.ad_lists.push_back(ad_list_of(index, args, ad_masks_.back(), line));
    }
    const AdMasks& masks = ad_masks_[at];
    std::vector<std::uint16_t> others, exceptions, ends;
    test_names(masks.all, false, instance, line, others);
    std::vector<std::uint16_t> legal;
    if (masks.allow && masks.legal) test_names(*masks.legal, true, instance, line, legal);
    if (masks.allow) test_names(*masks.allow, true, instance, line, exceptions);
    if (too_long_) return;
    land(legal);
    ends.push_back(emit(Op::ad_list, instance, line, at));
    if (too_long_) return;
    land(others);
    if (checks_answers(args)) {
        if (masks.allow) test_names(*masks.allow, true, instance, line, ends);
        if (masks.exceptions) test_names(*masks.exceptions, true, instance, line, exceptions);
        const std::uint16_t pc = emit(Op::watch_targets, instance, line, at);
        if (fresh) snapshot_.ad_lists[at].watch_pc = pc;
    }
    if (!exceptions.empty()) {
        ends.push_back(emit(Op::go_to, instance, line));
        if (too_long_) return;
        land(exceptions);
        emit(Op::allow, instance, line, at);
    }
    if (!too_long_) land(ends);
}

Compiler::AdMasks Compiler::ad_masks_of(const config::AdList& args) {
    AdMasks masks;
    config::NameRules all;
    for (const config::AdListPart& part : args.lists)
        all.sets.push_back(part.provider);
    masks.all = masks_.masks_of(all);
    if (!args.allow.empty()) masks.allow = masks_.masks_of(args.allow);
    if (checks_answers(args) && args.exceptions)
        masks.exceptions = masks_.masks_of_exceptions(*args.exceptions);
    config::NameRules legal;
    for (const config::AdListPart& part : args.lists) {
        if (part.terms.legal) legal.sets.push_back(part.provider);
    }
    if (!legal.sets.empty()) masks.legal = masks_.masks_of(legal);
    return masks;
}

steer::AdList Compiler::ad_list_of(config::PluginIndex index, const config::AdList& args,
                                   const AdMasks& masks, int line) {
    steer::AdList list;
    list.tag = settings_.plugin(index).tag;
    list.paused_until_s = registry_.ad_list_pause(list.tag);
    for (const config::AdListPart& part : args.lists) {
        config::NameRules names;
        names.sets.push_back(part.provider);
        list.lists.push_back({part.name,
                              config::rules_of(settings_.plugin(part.provider)) + part.exceptions,
                              masks_.masks_of(names), registry_.list_matches(list.tag, part.name),
                              list_id(list.tag, part.name), part.terms.legal,
                              block_notice(part.terms), part.terms.hit_log, part.version});
    }
    list.id = list_id(list.tag, {});
    list.all = masks.all;
    list.allow = masks.allow;
    list.legal = masks.legal;
    list.black_hole = static_cast<std::uint32_t>(snapshot_.black_holes.size());
    snapshot_.black_holes.push_back(known_.black_hole(args.answer));
    snapshot_.black_holes.back().blocks = true;
    if (checks_answers(args)) list.watch = watch_bit(line);
    return list;
}

// From the last bit of ProgramState::marks down; the marks of rules begin at the first.
std::uint64_t Compiler::watch_bit(int line) {
    has_watches_ = true;
    // (With no bit left, above all.)
    const unsigned at = kMaxMarks - 1 - static_cast<unsigned>(std::countl_one(used_mark_bits_));
    if (!use_mark_bit(at, line)) return 0;
    const std::uint64_t bit = std::uint64_t{1} << at;
    snapshot_.watch_bits |= bit;
    return bit;
}

// The names are unknown at this time, except that they are below its domain or are names of addresses.
void Compiler::dhcp_leases(config::PluginIndex index, const config::DhcpLeases& args, int line,
                           std::uint16_t instance) {
    const auto [mask, fresh] = name_masks_.try_emplace(index);
    if (fresh) {
        std::vector<config::RuleAt> names{domain(args.domain)};
        if (args.ptr) names.insert(names.end(), {domain("in-addr.arpa"), domain("ip6.arpa")});
        mask->second = masks_.mask_of(names);
    }
    const std::uint16_t test = emit(Op::if_tags, instance, line, mask->second);
    const std::uint16_t pc = emit(Op::live_answers, instance, line,
                                  static_cast<std::uint32_t>(snapshot_.live_answers.size()));
    snapshot_.live_answers.push_back(registry_.live_answers(settings_.plugin(index).tag));
    if (too_long_) return;
    snapshot_.program[pc].short_circuit = true;
    land({test});
}

void Compiler::own_cache(std::optional<config::PluginIndex> cache, std::uint16_t instance, int line,
                         unsigned depth) {
    if (!cache) return;
    const auto& args = std::get<config::Cache>(settings_.plugin(*cache).args);
    const std::uint16_t pc = next_pc();
    enter(Op::enter_cache, instance, line, cache_of(*cache, args), depth);
    if (!too_long_) snapshot_.program[pc].short_circuit = true;
}

// DS records of these names are the parent's (RFC 4035 3.1.4.1): other rules answer them.
void Compiler::leave_parent_ds(config::PluginIndex index, const std::vector<config::RuleAt>& names,
                               int line, std::uint16_t instance,
                               std::vector<std::uint16_t>& others) {
    const auto [cuts, is_new] = zone_cuts_.try_emplace(index);
    if (is_new && !names.empty()) cuts->second = masks_.mask_of(names);
    if (!cuts->second) return;
    const std::uint16_t other_type = emit(Op::if_type, instance, line, numbers_of({dns::kDs}));
    const std::uint16_t below = emit(Op::if_tags, instance, line, *cuts->second);
    if (too_long_) return;
    snapshot_.program[below].negate = true;
    others.push_back(below);
    land({other_type});
}

void Compiler::zone(config::PluginIndex index, const config::Zone& args, int line,
                    std::uint16_t instance, unsigned& depth) {
    const auto [mask, fresh] = name_masks_.try_emplace(index);
    if (args.secondary) {
        const auto& apex = std::get<config::Secondary>(settings_.plugin(*args.secondary).args).zone;
        const std::string name = dns::name_to_text(apex);
        if (fresh) mask->second = masks_.mask_of({domain(name)});
        std::vector<std::uint16_t> others{emit(Op::if_tags, instance, line, mask->second)};
        leave_parent_ds(index, {{.rule = {matchers::RuleKind::full, name}}}, line, instance,
                        others);
        enter(Op::enter_rpz, instance, line, local_zone(index, args), depth);
        if (!too_long_) land(others);
        return;
    }
    if (fresh) mask->second = masks_.mask_of(args.names);
    std::vector<std::uint16_t> others{emit(Op::if_tags, instance, line, mask->second)};
    leave_parent_ds(index, cuts_of(args.names), line, instance, others);
    own_cache(args.cache, instance, line, depth);
    const auto& forward = std::get<config::Forward>(settings_.plugin(args.forward).args);
    const std::uint16_t asks = emit(Op::forward, instance, line, group_of(args.forward, forward));
    emit(Op::stop, instance, line);
    if (too_long_) return;
    snapshot_.program[asks].with_special = true;
    snapshot_.program[asks].of_zone = true;
    land(others);
}

}  // namespace steer::build
