#include "control/rules/learner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace steer::rules {

void Learner::follow(const config::Settings& settings) {
    for (const auto& [_, source] : sources_)
        source->wanted = false;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const args = std::get_if<config::LearnDomain>(&plugin.args);
        if (args == nullptr) continue;
        auto& source = sources_[plugin.tag];
        if (source == nullptr) source = std::make_shared<Source>();
        source->set = settings.plugin(args->set).tag;
        source->settings = *args;
        source->wanted = true;
    }
    std::erase_if(sources_, [](const auto& s) { return !s.second->wanted; });
}

void Learner::take(const std::string& tag, const std::string& name) {
    const auto at = sources_.find(tag);
    if (at == sources_.end()) return;
    Source& source = *at->second;
    std::string rule =
        (source.settings.rule_kind == matchers::RuleKind::full ? "full:" : "domain:") + name;
    if (source.waiting.contains(rule)) return;
    if (source.waiting.size() >= kMostWaiting) {
        ++source.dropped;
        return;
    }
    source.waiting.insert(std::move(rule));
}

void Learner::look(std::uint64_t now_ms) {
    now_ms_ = now_ms;
    for (const auto& [tag, source] : sources_) {
        if (source->waiting.empty() || source->is_under_way || now_ms < source->next_ms) continue;
        source->is_under_way = true;
        source->begun_ms = now_ms;
        Batch batch{source->set, {}, source->settings.max_names};
        while (!source->waiting.empty() && batch.rules.size() < kMostAtOnce)
            batch.rules.push_back(
                std::move(source->waiting.extract(source->waiting.begin()).value()));
        add_(std::move(batch), [this, tag = tag, source = source](const Learned& learned) {
            finish(*source, tag, learned);
        });
    }
}

void Learner::finish(Source& source, const std::string& tag, const Learned& learned) {
    const std::uint64_t took_ms = now_ms_ - source.begun_ms;
    source.is_under_way = false;
    source.next_ms = now_ms_ + std::max(kEveryMs, 9 * took_ms);
    source.added += learned.added;
    source.unchanged += learned.unchanged;
    source.refused += learned.refused;
    if (learned.is_full && !source.is_full) {
        spdlog::warn(
            "learn_domain '{}': dynamic_domain_set '{}' has max_names ({}) rules, no name is "
            "learned; remove rules with 'steerctl rules {} remove', or raise max_names",
            tag, source.set, source.settings.max_names, source.set);
    }
    source.is_full = learned.is_full;
}

void Learner::write_metrics(ops::MetricWriter& writer) const {
    writer.counter("steerdns_learned_names",
                   "names that learn_domains handed over, by what came of them");
    for (const auto& [tag, source] : sources_) {
        writer.sample({{"plugin", tag}, {"result", "added"}}, source->added);
        writer.sample({{"plugin", tag}, {"result", "unchanged"}}, source->unchanged);
        writer.sample({{"plugin", tag}, {"result", "refused"}}, source->refused);
        writer.sample({{"plugin", tag}, {"result", "dropped"}}, source->dropped);
    }
}

}  // namespace steer::rules
