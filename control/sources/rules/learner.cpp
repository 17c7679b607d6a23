#include "control/sources/rules/learner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "matchers/suffix/public_suffixes.h"

namespace steer::rules {
namespace {

// The most rules of a batch for this set.
std::size_t most_at_once(const config::Settings& settings, const std::string& set) {
    std::size_t most = Learner::kMaxAtOnce;
    for (const config::RuleFile& file : settings.rule_files) {
        if (file.tag == set) most = std::min<std::size_t>({most, file.batch_size, file.queue_size});
    }
    return most;
}

}  // namespace

void Learner::follow(const config::Settings& settings) {
    for (const auto& [_, source] : sources_)
        source->wanted = false;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const args = std::get_if<config::LearnDomain>(&plugin.args);
        if (args == nullptr) continue;
        auto& source = sources_[plugin.tag];
        if (source == nullptr) source = std::make_shared<Source>();
        const std::string& set = settings.plugin(args->set).tag;
        if (source->set != set || source->settings.rule_kind != args->rule_kind) {
            source->dropped += source->waiting.size();
            source->waiting.clear();
        }
        source->set = set;
        source->settings = *args;
        source->most = most_at_once(settings, set);
        source->wanted = true;
    }
    std::erase_if(sources_, [](const auto& s) { return !s.second->wanted; });
}

void Learner::take(const std::string& tag, const std::string& name) {
    const auto at = sources_.find(tag);
    if (at == sources_.end()) return take_lost();
    Source& source = *at->second;
    const bool is_full = source.settings.rule_kind == matchers::RuleKind::full;
    if (is_full) return wait(source, "full:" + name);
    const matchers::PublicSuffixes& suffixes = matchers::PublicSuffixes::current();
    // A rule for the names below a public suffix would hold for strangers' names.
    if (suffixes.is_suffix(name)) {
        ++source.refused;
        return;
    }
    // The whole registrable domain, so that the names of one domain cannot fill a set.
    wait(source, "domain:" + std::string(suffixes.domain_of(name)));
}

void Learner::wait(Source& source, std::string rule) {
    if (source.waiting.contains(rule)) {
        ++source.unchanged;
    } else if (source.waiting.size() >= kMaxWaiting) {
        ++source.dropped;
    } else {
        source.waiting.insert(std::move(rule));
    }
}

void Learner::check(std::uint64_t now_ms) {
    now_ms_ = now_ms;
    if (is_in_progress_ || now_ms < next_ms_) return;
    const SourcePtr source = next_source();
    if (source == nullptr || !may_begin()) return;
    is_in_progress_ = true;
    begun_ms_ = now_ms;
    Batch batch{source->set, {}, source->settings.max_names};
    while (!source->waiting.empty() && batch.rules.size() < source->most)
        batch.rules.push_back(std::move(source->waiting.extract(source->waiting.begin()).value()));
    add_(std::move(batch), [this, source, tag = last_, set = source->set,
                            kind = source->settings.rule_kind](Learned learned) {
        if (source->set != set || source->settings.rule_kind != kind) {
            source->dropped += learned.later.size();
            learned.later.clear();
        }
        finish(*source, tag, learned);
    });
}

// The next set with names after the previous turn; nullptr: none.
Learner::SourcePtr Learner::next_source() {
    auto at = sources_.upper_bound(last_);
    for (std::size_t i = 0; i < sources_.size(); ++i, ++at) {
        if (at == sources_.end()) at = sources_.begin();
        if (at->second->waiting.empty()) continue;
        last_ = at->first;
        return at->second;
    }
    return nullptr;
}

bool Learner::may_begin() {
    const bool was_held = std::exchange(is_held_, !may_reload_());
    if (!is_held_) return true;
    next_ms_ = now_ms_ + kHeldEveryMs;
    if (!was_held) {
        spdlog::warn(
            "learn_domain: no name is learned, because files of the configuration changed since "
            "they were read: 'steerctl reload' takes them up");
    }
    return false;
}

void Learner::finish(Source& source, const std::string& tag, const Learned& learned) {
    const std::uint64_t took_ms = now_ms_ - begun_ms_;
    is_in_progress_ = false;
    next_ms_ = now_ms_ + std::max(kEveryMs, 9 * took_ms);
    source.added += learned.added;
    source.unchanged += learned.unchanged;
    source.refused += learned.refused;
    for (const std::string& rule : learned.later)
        wait(source, rule);
    if (learned.is_full && !source.is_full) {
        const bool is_of_set = learned.max_entries != 0;
        const std::string_view limit = is_of_set ? "max_entries" : "max_names";
        spdlog::warn(
            "learn_domain '{}': dynamic_domain_set '{}' has {} ({}) rules, no name is "
            "learned; remove rules with 'steerctl rules {} remove', or raise {}",
            tag, source.set, limit,
            is_of_set ? learned.max_entries : std::size_t{source.settings.max_names}, source.set,
            limit);
    }
    source.is_full = learned.is_full;
}

void Learner::write_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_learned_names");
    for (const auto& [tag, source] : sources_) {
        writer.sample({{"plugin", tag}, {"result", "added"}}, source->added);
        writer.sample({{"plugin", tag}, {"result", "unchanged"}}, source->unchanged);
        writer.sample({{"plugin", tag}, {"result", "refused"}}, source->refused);
        writer.sample({{"plugin", tag}, {"result", "dropped"}}, source->dropped);
    }
    if (!sources_.empty() || lost_ != 0)
        writer.sample({{"plugin", ""}, {"result", "dropped"}}, lost_);
}

}  // namespace steer::rules
