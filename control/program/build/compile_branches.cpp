// Units of fallbacks and probes: separate programs after the main one (dataplane/policy/branches.h).
#include <algorithm>

#include "control/program/build/compile.h"

namespace steer::build {

std::uint32_t Compiler::fallback_of(config::PluginIndex plugin, const config::Fallback& fallback) {
    const auto index = static_cast<std::uint32_t>(snapshot_.fallbacks.size());
    const auto [known, fresh] = fallbacks_.emplace(plugin, index);
    if (!fresh) return known->second;
    snapshot_.fallbacks.push_back(
        {.threshold_ms = static_cast<std::uint32_t>(fallback.threshold.count()),
         .terms = {.always_standby = fallback.always_standby,
                   .on_timeout = fallback.on_timeout,
                   .on_error = fallback.on_error,
                   .on_no_response = fallback.on_no_response}});
    waiting_.push_back(plugin);
    return index;
}

std::uint32_t Compiler::prefer_of(const config::Prefer& prefer, int line) {
    constexpr std::uint16_t kA = 1, kAaaa = 28;
    const auto index = static_cast<std::uint32_t>(snapshot_.prefers.size());
    const auto remember_s = static_cast<std::uint32_t>(prefer.cache_ttl.count() / 1000);
    snapshot_.prefers.push_back({.wanted = prefer.v6 ? kAaaa : kA,
                                 .other = prefer.v6 ? kA : kAaaa,
                                 .remember_s = prefer.cache ? remember_s : 0});
    if (prefer.probe) waiting_probes_.push_back({index, *prefer.probe, line});
    return index;
}

void Compiler::units() {
    while ((!waiting_.empty() || !waiting_probes_.empty()) && !too_long_) {
        if (waiting_.empty()) {
            const WaitingProbe probe = waiting_probes_.back();
            waiting_probes_.pop_back();
            const std::uint16_t unit = unit_of(probe.executor, probe.line);
            snapshot_.prefers[probe.prefer].probe = unit;
            continue;
        }
        const config::PluginIndex plugin = waiting_.back();
        waiting_.pop_back();
        const auto& fallback = std::get<config::Fallback>(settings_.plugin(plugin).args);
        const int line = settings_.plugin(plugin).line;
        const std::uint16_t primary = unit_of(fallback.primary, line);
        const std::uint16_t secondary = unit_of(fallback.secondary, line);
        Fallback& compiled = snapshot_.fallbacks[fallbacks_.at(plugin)];
        compiled.primary = primary;
        compiled.secondary = secondary;
    }
}

std::uint16_t Compiler::probe_of(const Instruction& i) const {
    return i.op == Op::enter_prefer ? snapshot_.prefers[i.operand].probe : std::uint16_t{0};
}

std::uint16_t Compiler::unit_of(config::PluginIndex plugin, int line) {
    const auto known = units_.find(plugin);
    if (known != units_.end()) return known->second;
    const std::uint16_t pc = next_pc();
    units_.emplace(plugin, pc);
    program_of(plugin, line);
    return pc;
}

// Maximum nesting of branches in a program. A prefer or dns64 ends with its sequence, so the nesting of two
// consecutive sequences does not add up.
unsigned Compiler::nesting(std::uint16_t entry) const {
    unsigned most = 0;
    std::vector<std::uint16_t> entered;  // instances of prefer and dns64
    for (std::size_t pc = entry; snapshot_.program[pc].op != Op::end; ++pc) {
        const Instruction& i = snapshot_.program[pc];
        // The wrapper for names that keep their AAAA is an alternative to the next one.
        const bool is_another =
            i.op == Op::enter_dns64 && snapshot_.program[pc + 1].op != Op::go_to;
        if (i.op == Op::enter_prefer || is_another) entered.push_back(i.instance);
        while (i.op == Op::sequence_end && !entered.empty() && entered.back() >= i.instance)
            entered.pop_back();
        unsigned inside = 0;
        if (i.op == Op::fallback) {
            const Fallback& f = snapshot_.fallbacks[i.operand];
            inside = 1 + std::max(nesting(f.primary), nesting(f.secondary));
        }
        if (const std::uint16_t probe = probe_of(i)) inside = nesting(probe);
        most = std::max(most, static_cast<unsigned>(entered.size()) + inside);
    }
    return most;
}

// Maximum nesting of rewrites in a program. The end of a sequence ends the wrappers inside it.
unsigned Compiler::most_rewrites(std::uint16_t entry) const {
    unsigned most = 0;
    std::vector<std::uint16_t> entered;  // their instances
    for (std::size_t pc = entry; snapshot_.program[pc].op != Op::end; ++pc) {
        const Instruction& i = snapshot_.program[pc];
        if (is_rewrite(i.op)) entered.push_back(i.instance);
        if (i.op == Op::static_records) entered.push_back(i.instance);  // it may be entered twice
        while (i.op == Op::sequence_end && !entered.empty() && entered.back() >= i.instance)
            entered.pop_back();
        unsigned inside = 0;
        if (i.op == Op::fallback) {
            const Fallback& f = snapshot_.fallbacks[i.operand];
            inside = std::max(most_rewrites(f.primary), most_rewrites(f.secondary));
        }
        if (const std::uint16_t probe = probe_of(i)) inside = most_rewrites(probe);
        most = std::max(most, static_cast<unsigned>(entered.size()) + inside);
    }
    return most;
}

void Compiler::check_rewrites() {
    for (std::size_t i = 0; i < settings_.entries.size() && !too_long_; ++i) {
        if (most_rewrites(snapshot_.entries[i]) <= Rewrites::kMax) continue;
        error(settings_.plugin(settings_.entries[i]).line,
              "more than " + std::to_string(Rewrites::kMax) +
                  " executors that change the question are nested (redirect, ecs_handler, "
                  "forward_edns0opt, dns64, static, which counts twice): use fewer, or move each "
                  "with its forward and 'accept' to a separate sequence");
    }
}

void Compiler::check_nesting() {
    for (std::size_t i = 0; i < settings_.entries.size() && !too_long_; ++i) {
        if (nesting(snapshot_.entries[i]) <= kMaxNested) continue;
        error(settings_.plugin(settings_.entries[i]).line,
              "more than " + std::to_string(kMaxNested) +
                  " fallback, prefer_ipv4, prefer_ipv6 and dns64 are inside each other: use fewer");
    }
}

}  // namespace steer::build
