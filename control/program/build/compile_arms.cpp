// Compiler: one arm for each type of plugin. A type without an arm must be listed in compile.h, or this file does not
// compile.
#include <rte_debug.h>

#include <algorithm>

#include "control/program/build/compile.h"
#include "control/program/build/durations.h"

namespace steer::build {

void Compiler::refuse(const char* what) {
    rte_panic("the compiler met a plugin that is %s\n", what);
}

// ---- matchers

std::uint16_t Compiler::test_by(const config::Qname&, const TestUse& use) {
    return emit(Op::if_tags, use.instance, use.line, masks_.mask_of(use.index));
}

std::uint16_t Compiler::test_by(const config::Cname&, const TestUse& use) {
    return emit(Op::if_cname, use.instance, use.line, masks_.mask_of(use.index));
}

std::uint16_t Compiler::test_by(const config::IpMatch& ip, const TestUse& use) {
    constexpr Op kByAddress[] = {Op::if_client, Op::if_response_address, Op::if_name_address};
    return emit(kByAddress[static_cast<std::size_t>(ip.of)], use.instance, use.line,
                prefixes_of(use.index, ip));
}

std::uint16_t Compiler::test_by(const config::DeviceMatch& devices, const TestUse& use) {
    const auto [at, fresh] = place_of(use.index, snapshot_.device_sets);
    if (fresh) {
        DeviceSet set{devices.macs, devices.names, devices.groups, devices.made};
        std::ranges::sort(set.macs);
        std::ranges::sort(set.names);
        std::ranges::sort(set.groups);
        snapshot_.device_sets.push_back(std::move(set));
    }
    if (!devices.made.empty()) snapshot_.device_groups = registry_.device_groups();
    if (snapshot_.lease_tables.empty()) {
        for (const config::Plugin& plugin : settings_.plugins) {
            if (std::holds_alternative<config::DhcpLeases>(plugin.args))
                snapshot_.lease_tables.push_back(registry_.live_answers(plugin.tag));
        }
    }
    return emit(Op::if_device, use.instance, use.line, at);
}

std::uint16_t Compiler::test_by(const config::NumberMatch& number, const TestUse& use) {
#define STEER_NUMBER_TEST(number, operation) Op::operation,
    constexpr Op kByNumber[] = {STEER_NUMBERS(STEER_NUMBER_TEST)};
#undef STEER_NUMBER_TEST
    return emit(kByNumber[static_cast<std::size_t>(number.of)], use.instance, use.line,
                numbers_of(number.numbers));
}

std::uint16_t Compiler::test_by(const config::MarkMatch& mark, const TestUse& use) {
    return emit(Op::if_marks, use.instance, use.line, marks_of(mark.marks, use.line));
}

std::uint16_t Compiler::test_by(const config::RandomMatch& random, const TestUse& use) {
    if (random.probability <= 0 || random.probability >= 1)
        return test_by(config::Constant{random.probability >= 1}, use);
    constexpr double kWhole = 4294967296.0;
    return emit(
        Op::if_random, use.instance, use.line,
        static_cast<std::uint32_t>(std::clamp(random.probability * kWhole, 1.0, kWhole - 1)));
}

std::uint16_t Compiler::test_by(const config::TextMatch& text, const TestUse& use) {
    return emit(Op::if_text, use.instance, use.line, text_match_of(text, use.line));
}

std::uint16_t Compiler::test_by(const config::TimeMatch& time, const TestUse& use) {
    return emit(Op::if_time, use.instance, use.line, time_test_of(time));
}

std::uint16_t Compiler::test_by(const config::RateMatch& rate, const TestUse& use) {
    return emit(Op::if_rate, use.instance, use.line, limiter_of(use.index, rate));
}

std::uint16_t Compiler::test_by(const config::HasResp&, const TestUse& use) {
    return emit(Op::if_has_resp, use.instance, use.line);
}

std::uint16_t Compiler::test_by(const config::HasWantedAnswer&, const TestUse& use) {
    return emit(Op::if_wanted_answer, use.instance, use.line);
}

std::uint16_t Compiler::test_by(const config::Constant& constant, const TestUse& use) {
    if (!constant.value) use.negate = !use.negate;
    return emit(Op::if_true, use.instance, use.line);
}

// ---- executors

void Compiler::execute(const config::Sequence& inner, const Use& use) {
    sequence(inner, use.depth);
}

void Compiler::execute(const config::Forward& forward, const Use& use) {
    const std::uint16_t pc =
        emit(Op::forward, use.instance, use.line, group_of(use.index, forward));
    if (too_long_) return;
    Instruction& asks = snapshot_.program[pc];
    asks.with_special = forward.local || in_special_rule_;
    asks.with_private = has_private_upstream(forward);
    asks.short_circuit = forward.short_circuit && !denied_addresses_;
    if (!denied_addresses_) return;
    deny_private(use.line, use.instance);
    if (!forward.short_circuit) return;
    const std::uint16_t test = emit(Op::if_has_resp, use.instance, use.line);
    emit(Op::stop, use.instance, use.line);
    if (!too_long_) land({test});
}

void Compiler::execute(const config::Sleep& sleep, const Use& use) {
    emit(Op::sleep, use.instance, use.line, milliseconds(sleep.duration));
}

void Compiler::execute(const config::Prefer& prefer, const Use& use) {
    enter(Op::enter_prefer, use.instance, use.line, prefer_of(prefer, use.line), use.depth);
}

void Compiler::execute(const config::Dns64& args, const Use& use) {
    dns64(use.index, args, use.line, use.instance, use.depth);
}

void Compiler::execute(const config::StaticRecords& args, const Use& use) {
    static_records(use.index, args, use.line, use.instance, use.depth);
}

void Compiler::execute(const config::AdList& args, const Use& use) {
    ad_list(use.index, args, use.line, use.instance);
}

void Compiler::execute(const config::Rpz& args, const Use& use) {
    rpz(use.index, args, use.line, use.instance, use.depth);
}

void Compiler::execute(const config::DhcpLeases& args, const Use& use) {
    dhcp_leases(use.index, args, use.line, use.instance);
}

void Compiler::execute(const config::Zone& args, const Use& use) {
    zone(use.index, args, use.line, use.instance, use.depth);
}

void Compiler::execute(const config::Fallback& fallback, const Use& use) {
    const std::uint16_t pc =
        emit(Op::fallback, use.instance, use.line, fallback_of(use.index, fallback));
    if (!too_long_) snapshot_.program[pc].short_circuit = fallback.short_circuit;
}

void Compiler::execute(const config::Cache& cache, const Use& use) {
    const std::uint16_t pc = next_pc();
    enter(Op::enter_cache, use.instance, use.line, cache_of(use.index, cache), use.depth);
    if (!too_long_) snapshot_.program[pc].short_circuit = cache.short_circuit;
}

void Compiler::execute(const config::RouterRows&, const Use& use) {
    enter(Op::enter_list, use.instance, use.line, list_places_.at(use.index), use.depth);
}

void Compiler::execute(const config::OpnsenseAlias&, const Use& use) {
    enter(Op::enter_list, use.instance, use.line, list_places_.at(use.index), use.depth);
}

void Compiler::execute(const config::KernelSets&, const Use& use) {
    emit(Op::claim_list, use.instance, use.line, list_places_.at(use.index));
}

void Compiler::execute(const config::QuerySummary& summary, const Use& use) {
    enter(Op::enter_summary, use.instance, use.line, text_of(summary.msg), use.depth);
}

void Compiler::execute(const config::DebugPrint& print, const Use& use) {
    emit(Op::debug_print, use.instance, use.line, text_of(print.msg));
}

void Compiler::execute(const config::ReverseLookup& reverse, const Use& use) {
    reverse_lookup(use.index, reverse, use.line, use.instance, use.depth);
}

void Compiler::execute(const config::Redirect& args, const Use& use) {
    redirect(use.index, args, use.line, use.instance, use.depth);
}

void Compiler::execute(const config::EcsHandler& ecs, const Use& use) {
    enter(Op::enter_ecs, use.instance, use.line, ecs_of(use.index, ecs), use.depth);
}

void Compiler::execute(const config::ForwardOptions& passed, const Use& use) {
    enter(Op::enter_options, use.instance, use.line, options_of(passed.codes, use.line), use.depth);
}

void Compiler::execute(const config::MetricsCollector& collector, const Use& use) {
    const auto [at, fresh] = place_of(use.index, snapshot_.collectors);
    if (fresh) snapshot_.collectors.push_back(registry_.collector(collector.name));
    enter(Op::enter_collector, use.instance, use.line, at, use.depth);
}

void Compiler::execute(const config::LearnDomain& args, const Use& use) {
    const auto [at, fresh] = place_of(use.index, snapshot_.learners);
    if (fresh) {
        LearnDomain learner{.tag = settings_.plugin(use.index).tag,
                            .known = masks_.mask_of(config::NameRules{{}, {args.set}}),
                            .before = args.before,
                            .success_only = args.success_only,
                            .answer_required = args.answer_required,
                            .qtypes = args.qtypes,
                            .recent = std::make_unique<RecentNames[]>(kMaxWorkers)};
        snapshot_.learners.push_back(std::move(learner));
    }
    enter(Op::enter_learn, use.instance, use.line, at, use.depth);
}

// Workers record every query; thread `recorder` takes those of its servers (control/observe/recorder/recording.h).
void Compiler::execute(const config::QueryRecorder&, const Use&) {}

void Compiler::execute(const config::DropResp&, const Use& use) {
    emit(Op::drop_response, use.instance, use.line);
}

void Compiler::execute(const config::Ttl& ttl, const Use& use) {
    snapshot_.ttl_limits.push_back({ttl.least_s, ttl.most_s});
    emit(Op::limit_ttls, use.instance, use.line,
         static_cast<std::uint32_t>(snapshot_.ttl_limits.size() - 1));
}

void Compiler::execute(const config::BlackHole& hole, const Use& use) {
    const auto [at, fresh] = place_of(use.index, snapshot_.black_holes);
    if (fresh) {
        snapshot_.black_holes.push_back(known_.black_hole(hole));
        snapshot_.black_holes.back().blocks = true;
    }
    const std::uint16_t pc = emit(Op::black_hole, use.instance, use.line, at);
    if (!too_long_) snapshot_.program[pc].short_circuit = hole.short_circuit;
}

void Compiler::execute(const config::Hosts& hosts, const Use& use) {
    answer_table(use.index, hosts.rules, hosts.short_circuit, use.line, use.instance);
}

void Compiler::execute(const config::Arbitrary& arbitrary, const Use& use) {
    answer_table(use.index, arbitrary.rules, arbitrary.short_circuit, use.line, use.instance);
}

void Compiler::raise(const Use& use) {
    const config::Plugin& plugin = settings_.plugin(use.index);
    const auto [at, fresh] = place_of(use.index, snapshot_.tasks);
    if (fresh) {
        snapshot_.tasks.push_back(registry_.task(plugin.tag));
        snapshot_.task_tags.push_back(plugin.tag);
    }
    emit(Op::raise, use.instance, use.line, at);
}

}  // namespace steer::build
