// Compiler: plugins that create or change an answer without waiting.
#include "control/program/build/compile.h"

#include <algorithm>
#include <utility>

namespace steer::build {
namespace {

constexpr std::uint32_t kHostsTtl = 10;
constexpr std::uint32_t kIdentityTtl = 0;  // as BIND and Unbound give it

}  // namespace

void Compiler::redirect(config::PluginIndex index, const config::Redirect& redirect, int line,
                        std::uint16_t instance, unsigned& depth) {
    if (redirect.rules.empty()) return;
    const std::uint16_t test =
        emit(Op::if_tags, instance, line, masks_.mask_of(index, redirect.rules));
    enter(Op::enter_redirect, instance, line, redirect_of(index, redirect), depth);
    if (!too_long_) land({test});
}

std::uint32_t Compiler::redirect_of(config::PluginIndex index, const config::Redirect& redirect) {
    const auto [at, fresh] = place_of(index, snapshot_.redirects);
    if (!fresh) return at;
    auto& targets = snapshot_.redirect_targets;
    const std::size_t first = targets.size();
    targets.insert(targets.end(), redirect.targets.begin(), redirect.targets.end());
    if (targets.size() > kMaxRedirectTargets) {
        error(settings_.plugin(index).line, "the redirects have more than " +
                                                std::to_string(kMaxRedirectTargets) +
                                                " different targets: write fewer");
    }
    matchers::NameValuesBuilder names(matchers::NameValues::Wins::first);
    for (const config::RuleAt& rule : redirect.rules) {
        names.add(rule.rule, static_cast<std::uint32_t>(first + rule.value),
                  settings_.files[rule.file], rule.line);
    }
    snapshot_.redirects.push_back({names.build(errors_)});
    return at;
}

std::uint32_t Compiler::options_of(const std::vector<std::uint16_t>& codes, int line) {
    auto& sets = snapshot_.option_codes;
    const auto at = std::find(sets.begin(), sets.end(), codes);
    const auto index = static_cast<std::uint32_t>(at - sets.begin());
    if (at != sets.end()) return index;
    if (index == Rewrites::kMaxOptions) {
        error(line, "more than " + std::to_string(Rewrites::kMaxOptions) +
                        " forward_edns0opt with different codes: put some together");
    }
    sets.push_back(codes);
    auto& all = snapshot_.all_option_codes;
    all.insert(all.end(), codes.begin(), codes.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return index;
}

std::uint32_t Compiler::ecs_of(config::PluginIndex index, const config::EcsHandler& ecs) {
    const auto [at, fresh] = place_of(index, snapshot_.ecs_handlers);
    if (!fresh) return at;
    if (at == kMaxEcsHandlers) {
        error(settings_.plugin(index).line,
              "more than " + std::to_string(kMaxEcsHandlers) +
                  " different ecs_handler: give those that are the same one tag");
    }
    EcsHandler handler{.forward = ecs.forward,
                       .send = ecs.send,
                       .mask4 = static_cast<std::uint8_t>(ecs.mask4),
                       .mask6 = static_cast<std::uint8_t>(ecs.mask6)};
    if (ecs.preset) {
        const IpAddress& ip = *ecs.preset;
        const std::span<const std::uint8_t> bytes{ip.is_v4() ? ip.v4() : ip.bytes.data(),
                                                  ip.is_v4() ? std::size_t{4} : std::size_t{16}};
        const std::uint32_t mask = ip.is_v4() ? ecs.mask4 : ecs.mask6;
        handler.preset_len = static_cast<std::uint8_t>(dns::make_ecs(
            bytes, static_cast<std::uint8_t>(ecs.preset_mask.value_or(mask)), handler.preset));
    }
    snapshot_.ecs_handlers.push_back(handler);
    return at;
}

// Tests only names of addresses, which plans can evaluate.
void Compiler::reverse_lookup(config::PluginIndex index, const config::ReverseLookup& reverse,
                              int line, std::uint16_t instance, unsigned& depth) {
    const auto [at, fresh] = place_of(index, snapshot_.reverse);
    if (fresh) {
        const std::string& tag = settings_.plugin(index).tag;
        snapshot_.reverse.push_back({tag, reverse.ttl_s, registry_.reverse(tag, reverse.size)});
    }
    if (reverse.handle_ptr) {
        if (!pointer_names_)
            pointer_names_ = masks_.mask_of({domain("in-addr.arpa"), domain("ip6.arpa")});
        const std::uint16_t test = emit(Op::if_tags, instance, line, *pointer_names_);
        emit(Op::answer_pointer, instance, line, at);
        if (!too_long_) land({test});
    }
    enter(Op::enter_reverse, instance, line, at, depth);
}

void Compiler::answer_known(const Known& known) {
    if (too_long_) return;
    const std::uint16_t test = emit(Op::if_tags, 0, 0, known.mask);
    if (known.table) emit(Op::answer_table, 0, 0, *known.table);
    if (known.hole) emit(Op::black_hole, 0, 0, *known.hole);
    if (too_long_) return;
    for (std::uint16_t pc = test + 1U; pc < next_pc(); ++pc)
        snapshot_.program[pc].short_circuit = true;
    land({test});
}

Compiler::Known Compiler::refused_canaries() {
    std::vector<config::RuleAt> rules;
    for (const char* name : {"use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com"})
        rules.push_back(domain(name));
    const Known known{.mask = masks_.mask_of(rules),
                      .hole = static_cast<std::uint32_t>(snapshot_.black_holes.size())};
    snapshot_.black_holes.push_back(known_.black_hole({}));
    return known;
}

Compiler::Known Compiler::designation(const std::vector<config::KnownRecord>& records) {
    const Known known{.mask = masks_.mask_of({domain("resolver.arpa")}),
                      .table = static_cast<std::uint32_t>(snapshot_.answer_tables.size()),
                      .hole = static_cast<std::uint32_t>(snapshot_.black_holes.size())};
    AnswerTable table;
    matchers::NameValuesBuilder names;
    names.add({matchers::RuleKind::full, "_dns.resolver.arpa"}, 0);
    table.names = names.build(errors_);
    table.values.push_back({0, 1});
    const auto& [type, klass, ttl_s, rdata] = records.front();
    table.typed.push_back({type, klass, known_.of_records(type, klass, records)});
    snapshot_.answer_tables.push_back(std::move(table));
    snapshot_.black_holes.push_back(known_.black_hole({.mode = config::BlackHoleMode::nodata}));
    return known;
}

std::optional<Compiler::Known> Compiler::identity(const std::string& host_name) {
    const config::Policy& policy = settings_.policy;
    std::vector<config::RuleAt> rules;
    AnswerTable table;
    matchers::NameValuesBuilder names;
    const auto add = [&](const std::optional<std::string>& setting,
                         std::initializer_list<const char*> owners) {
        std::string text = setting.value_or(std::string());
        if (text == config::Policy::kHostName) text = host_name;
        if (text.empty()) return;
        std::vector<std::uint8_t> rdata{static_cast<std::uint8_t>(text.size())};
        rdata.insert(rdata.end(), text.begin(), text.end());
        const auto value = static_cast<std::uint32_t>(table.values.size());
        table.values.push_back({value, 1});
        table.typed.push_back(
            {dns::kTxt, dns::kChaos,
             known_.of_records(dns::kTxt, dns::kChaos,
                               {{dns::kTxt, dns::kChaos, kIdentityTtl, std::move(rdata)}})});
        for (const char* const owner : owners) {
            rules.push_back({.rule = {matchers::RuleKind::full, owner}});
            names.add({matchers::RuleKind::full, owner}, value);
        }
    };
    add(policy.version_bind, {"version.bind", "version.server"});
    add(policy.id_server, {"id.server", "hostname.bind"});
    if (rules.empty()) return std::nullopt;
    table.names = names.build(errors_);
    const Known known{.mask = masks_.mask_of(rules),
                      .table = static_cast<std::uint32_t>(snapshot_.answer_tables.size())};
    snapshot_.answer_tables.push_back(std::move(table));
    return known;
}

void Compiler::answer_table(config::PluginIndex index, const std::vector<config::RuleAt>& rules,
                            bool short_circuit, int line, std::uint16_t instance) {
    if (rules.empty()) return;
    const std::uint16_t test = emit(Op::if_tags, instance, line, masks_.mask_of(index, rules));
    const std::uint16_t pc = emit(Op::answer_table, instance, line, table_of(index, rules));
    if (too_long_) return;
    snapshot_.program[pc].short_circuit = short_circuit;
    land({test});
}

std::uint32_t Compiler::table_of(config::PluginIndex index,
                                 const std::vector<config::RuleAt>& rules) {
    const auto known = tables_.find(index);
    if (known != tables_.end()) return known->second;
    AnswerTable table;
    std::vector<std::uint32_t> places;  // by value
    matchers::NameValuesBuilder names;
    for (const config::RuleAt& at : rules) {
        if (at.value >= places.size()) places.resize(at.value + 1, kNoAnswer);
        std::uint32_t& place = places[at.value];
        if (place == kNoAnswer) {
            place = static_cast<std::uint32_t>(table.values.size());
            table.values.push_back(answers_of(table, settings_.plugin(index), at.value));
        }
        names.add(at.rule, place, settings_.files[at.file], at.line);
    }
    table.names = names.build(errors_);
    const auto place = static_cast<std::uint32_t>(snapshot_.answer_tables.size());
    snapshot_.answer_tables.push_back(std::move(table));
    tables_.emplace(index, place);
    return place;
}

AnswerTable::Range Compiler::answers_of(AnswerTable& table, const config::Plugin& plugin,
                                        std::uint32_t value) {
    const auto first = static_cast<std::uint32_t>(table.typed.size());
    if (const auto* hosts = std::get_if<config::Hosts>(&plugin.args)) {
        for (const bool v6 : {false, true}) {
            AnswerRef answer = known_.of_addresses(v6, hosts->addresses[value], kHostsTtl);
            if (answer == kNoAnswer) answer = known_.negative(dns::kNoError, kHostsTtl);
            table.typed.push_back(
                {v6 ? dns::kAaaa : dns::kA, dns::kIn, known_.authoritative(answer)});
        }
    } else {
        // The records of a name by query type.
        std::map<std::pair<std::uint16_t, std::uint16_t>, std::vector<config::KnownRecord>> sets;
        for (const auto& r : std::get<config::Arbitrary>(plugin.args).records[value]) {
            auto& set = sets[{r.type, r.klass}];
            const bool is_there = std::any_of(set.begin(), set.end(),
                                              [&](const auto& o) { return o.rdata == r.rdata; });
            if (!is_there) set.push_back(r);  // RFC 2181 5: no duplicate records
        }
        for (const auto& [key, records] : sets) {
            const AnswerRef answer =
                known_.authoritative(known_.of_records(key.first, key.second, records));
            if (answer == kNoAnswer) {
                error(plugin.line, "the records of type " + std::to_string(key.first) +
                                       " of a name in arbitrary '" + plugin.tag +
                                       "' are longer than a message may be: write fewer");
                continue;
            }
            table.typed.push_back({key.first, key.second, answer});
        }
    }
    return {first, static_cast<std::uint32_t>(table.typed.size()) - first};
}

}  // namespace steer::build
