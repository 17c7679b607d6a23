// Compiler: names that a forward answers itself, queries that it does not send upstream, and
// answers that it does not accept.
#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "control/config/lists/list_source.h"
#include "control/config/special_names.h"
#include "control/program/build/compile.h"
#include "control/program/build/ranges.h"
#include "dataplane/dns/name.h"
#include "dataplane/policy/guard.h"

namespace steer::build {
namespace {

constexpr std::uint32_t kSpecialTtl = 10'800;  // RFC 6303 3
constexpr std::uint32_t kNoDesignationTtl = 300;
constexpr std::uint32_t kNoLocalTtl = 3600;
constexpr std::uint32_t kHinfoTtl = 3600;
constexpr std::uint32_t kNoPrivateTtl = 60;

static_assert(static_cast<int>(AnyQueries::forward) == static_cast<int>(config::AnyMode::forward));
static_assert(static_cast<int>(NoRecurse::forward) ==
              static_cast<int>(config::NorecurseMode::forward));

using Bytes = std::vector<std::uint8_t>;

std::uint32_t ttl_of(const config::SpecialName& special) {
    if (special.name == "local") return kNoLocalTtl;
    return special.kind == config::SpecialKind::no_data ? kNoDesignationTtl : kSpecialTtl;
}

Stat counter_of(const config::SpecialName& special) {
    if (special.name == "local") return Stat::local_denied;
    return special.kind == config::SpecialKind::no_data ? Stat::not_forwarded : Stat::special_names;
}

bool is_private(const config::UpstreamSettings& upstream, const matchers::PrefixSet& ranges) {
    return upstream.address && ranges.contains(*upstream.address);
}

// Whether a rule has only names that are special, or below a special name.
bool names_special(const matchers::Rule& rule) {
    static const std::set<std::string, std::less<>> kNames = [] {
        std::set<std::string, std::less<>> out;
        for (const config::SpecialName& special : config::special_names())
            out.insert(special.name);
        return out;
    }();
    static const std::set<std::string, std::less<>> kLast = [] {
        std::set<std::string, std::less<>> out;
        for (const std::string& name : kNames)
            out.insert(name.substr(name.rfind('.') + 1));
        return out;
    }();
    if (rule.kind != matchers::RuleKind::full && rule.kind != matchers::RuleKind::domain)
        return false;
    std::string_view name = rule.text;
    if (!kLast.contains(name.substr(name.rfind('.') + 1))) return false;
    for (;;) {
        if (kNames.contains(name)) return true;
        const auto dot = name.find('.');
        if (dot == std::string_view::npos) return false;
        name.remove_prefix(dot + 1);
    }
}

}  // namespace

void Compiler::special_names() {
    const config::Policy& policy = settings_.policy;
    for (const config::SpecialName& special : config::special_names()) {
        const bool is_local = special.name == "local";
        if (std::ranges::find(policy.resolve_special, special.name) !=
                policy.resolve_special.end() ||
            (is_local && policy.local_names == config::LocalNames::forward))
            continue;
        const auto wire = dns::name_from_text(special.name);
        if (!wire) continue;
        snapshot_.special.add(*wire, special_answers(special, *wire));
    }
}

SpecialNames::Name Compiler::special_answers(const config::SpecialName& special,
                                             const Bytes& wire) {
    using Kind = config::SpecialKind;
    const std::uint32_t ttl_s = ttl_of(special);
    const AnswerRef no_name = known_.negative_of(wire, dns::kNxDomain, ttl_s);
    const AnswerRef no_data = known_.negative_of(wire, dns::kNoError, ttl_s);
    const auto address = [&](const char* text) {
        const IpAddress ip = IpAddress::parse(text).value();
        return known_.authoritative(known_.of_addresses(!ip.is_v4(), {ip}, ttl_s));
    };
    SpecialNames::Name out{
        .is_private = special.is_private,
        .is_always = special.kind == Kind::no_data,
        .has_parent = special.kind != Kind::no_data && special.kind != Kind::loopback,
        .counted = counter_of(special)};
    out.apex = special.kind == Kind::nxdomain ? no_name : no_data;
    out.below = no_data;
    switch (special.kind) {
        case Kind::nxdomain:
            out.below = no_name;
            break;
        case Kind::empty_zone:
            out.below = no_name;
            out.soa = known_.soa_of(wire, ttl_s);
            out.ns = known_.authoritative(
                known_.of_records(dns::kNs, dns::kIn, {{dns::kNs, dns::kIn, ttl_s, wire}}));
            break;
        case Kind::localhost:
            out.a = address("127.0.0.1");
            out.aaaa = address("::1");
            break;
        case Kind::loopback:
            out.below = no_name;
            out.pointer = known_.authoritative(known_.of_records(
                dns::kPtr, dns::kIn,
                {{dns::kPtr, dns::kIn, ttl_s, dns::name_from_text("localhost").value()}}));
            break;
        case Kind::no_data:
            break;
    }
    return out;
}

void Compiler::rare_queries() {
    static constexpr std::uint8_t kCpuAndOs[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
    const config::Policy& policy = settings_.policy;
    RareQueries& rare = snapshot_.rare;
    rare.any = static_cast<AnyQueries>(policy.any);
    rare.norecurse = static_cast<NoRecurse>(policy.norecurse);
    rare.from_cache = matchers::PrefixSet(policy.norecurse_cache);
    rare.forwarded = matchers::PrefixSet(policy.norecurse_forward);
    rare.hinfo = known_.unkept(known_.of_records(
        dns::kAny, dns::kIn,
        {{dns::kHinfo, dns::kIn, kHinfoTtl, {std::begin(kCpuAndOs), std::end(kCpuAndOs)}}}));
}

void Compiler::private_answers() {
    const config::Policy& policy = settings_.policy;
    if (policy.rebind == config::RebindMode::pass) return;
    snapshot_.no_private = known_.negative(dns::kNoError, kNoPrivateTtl);
    std::vector<matchers::Prefix> denied = private_ranges();
    for (const char* const unspecified : {"0.0.0.0/8", "::/128"})
        denied.push_back(matchers::Prefix::parse(unspecified).value());
    denied_addresses_ = static_cast<std::uint32_t>(snapshot_.prefix_sets.size());
    snapshot_.prefix_sets.emplace_back(without(std::move(denied), policy.rebind_nets));
}

void Compiler::deny_private(int line, std::uint16_t instance) {
    std::vector<std::uint16_t> exempt;
    if (!settings_.policy.rebind_names.empty()) {
        if (!rebind_names_) {
            std::vector<config::RuleAt> rules;
            for (const std::string& name : settings_.policy.rebind_names)
                rules.push_back(domain(name));
            rebind_names_ = masks_.mask_of(rules);
        }
        const std::uint16_t test = emit(Op::if_tags, instance, line, *rebind_names_);
        if (too_long_) return;
        snapshot_.program[test].negate = true;
        exempt.push_back(test);
    }
    emit(Op::deny_private, instance, line, *denied_addresses_);
    if (!too_long_) land(exempt);
}

// ---- forwards that send special names upstream

std::vector<std::span<const config::RuleAt>> Compiler::rules_of_names(
    const config::NameRules& names) const {
    std::vector<std::span<const config::RuleAt>> out{names.rules};
    std::vector<config::PluginIndex> todo = names.sets;
    std::set<config::PluginIndex> known;
    while (!todo.empty()) {
        const config::PluginIndex provider = todo.back();
        todo.pop_back();
        const auto* const set = std::get_if<config::DomainSet>(&settings_.plugin(provider).args);
        if (set == nullptr || !known.insert(provider).second) continue;
        for (const config::RuleStep& step : set->steps) {
            if (step.in) out.emplace_back(step.rules);
        }
        todo.insert(todo.end(), set->sets.begin(), set->sets.end());
    }
    return out;
}

bool Compiler::names_special(const config::ExecRule& rule) const {
    return std::ranges::any_of(rule.matches, [&](const config::MatchUse& match) {
        if (match.negate) return false;
        const auto& args = settings_.plugin(match.plugin).args;
        const config::NameRules* names = std::get_if<config::Qname>(&args);
        if (names == nullptr) names = std::get_if<config::Question>(&args);
        if (names == nullptr) return false;
        return std::ranges::any_of(rules_of_names(*names), [](const auto& rules) {
            return std::ranges::any_of(
                rules, [](const auto& at) { return build::names_special(at.rule); });
        });
    });
}

std::vector<config::RuleAt> Compiler::cuts_of(const config::NameRules& names) const {
    std::set<std::string_view> domains;
    for (const auto& rules : rules_of_names(names)) {
        for (const config::RuleAt& at : rules) {
            if (at.rule.kind == matchers::RuleKind::domain) domains.insert(at.rule.text);
        }
    }
    std::vector<config::RuleAt> out;
    for (const std::string_view cut : domains) {
        std::string_view upper = cut;
        bool is_inside = false;
        while (!is_inside && upper.find('.') != std::string_view::npos) {
            upper.remove_prefix(upper.find('.') + 1);
            is_inside = domains.contains(upper);
        }
        if (!is_inside && !cut.empty())
            out.push_back({.rule = {matchers::RuleKind::full, std::string(cut)}});
    }
    return out;
}

bool Compiler::has_private_upstream(const config::Forward& forward) const {
    static const matchers::PrefixSet kRanges(private_ranges());
    return std::ranges::any_of(forward.upstreams,
                               [](const auto& upstream) { return is_private(upstream, kRanges); });
}

// The forwards that may answer last, from the end of an entry or unit backwards.
bool Compiler::ends_at_private(std::uint16_t first, std::uint16_t end) const {
    for (std::uint16_t pc = end; pc-- > first;) {
        const Instruction& i = snapshot_.program[pc];
        if (i.op == Op::forward && !i.of_zone) return i.with_private;
        if (i.op != Op::fallback) continue;
        const std::vector<bool> run = run_by_fallback(snapshot_, snapshot_.fallbacks[i.operand]);
        for (std::size_t at = 0; at < snapshot_.program.size(); ++at) {
            const Instruction& asks = snapshot_.program[at];
            if (run[at] && asks.op == Op::forward && asks.with_private) return true;
        }
        return false;
    }
    return false;
}

void Compiler::mark_private_forwards() {
    Program& program = snapshot_.program;
    std::vector<std::uint16_t> marked;
    for (std::size_t e = 0; e < snapshot_.entries.size(); ++e) {
        const std::uint16_t first = snapshot_.entries[e];
        std::uint16_t end = first;
        while (program[end].op != Op::end)
            ++end;
        if (!ends_at_private(first, end)) continue;
        for (std::uint16_t pc = first; pc < end; ++pc) {
            if (program[pc].op == Op::forward) marked.push_back(pc);
        }
    }
    for (const std::uint16_t pc : marked)
        program[pc].with_private = true;
}

}  // namespace steer::build
