#include "control/config/advice/readiness.h"

#include <algorithm>

#include "control/config/advice/graph.h"

namespace steer::config {
namespace {

bool is_stale_cache(const Plugin& plugin) {
    const auto* const cache = std::get_if<Cache>(&plugin.args);
    return cache != nullptr &&
           (cache->serve_stale.count() > 0 || cache->lazy_cache_ttl.count() > 0);
}

// Walks the ways that a query without a branch takes from one executor.
class EntryWalk {
  public:
    explicit EntryWalk(const Settings& settings) : settings_(settings) {}

    // Needs by place; an entry whose forwards stand in branches has one of all of them.
    std::vector<ForwardNeed> run(PluginIndex entry) {
        walk(entry);
        if (!has_found_) add(all_below(entry));
        return std::move(needs_);
    }

  private:
    enum class Next : std::uint8_t { goes_on, ends };

    Next walk(PluginIndex index) {
        const Plugin& plugin = settings_.plugin(index);
        if (is_stale_cache(plugin)) has_stale_ = true;
        if (std::holds_alternative<Forward>(plugin.args)) {
            add({index});
        } else if (std::holds_alternative<Fallback>(plugin.args)) {
            add(all_below(index));
        } else if (const auto* sequence = std::get_if<Sequence>(&plugin.args)) {
            return walk(*sequence);
        }
        return Next::goes_on;
    }

    Next walk(const Sequence& sequence) {
        for (const ExecRule& rule : sequence.rules) {
            if (is_branch(rule)) continue;
            switch (rule.kind) {
                case ExecRule::Kind::accept:
                case ExecRule::Kind::reject:
                case ExecRule::Kind::drop:
                    return Next::ends;
                case ExecRule::Kind::return_:
                    return Next::goes_on;
                case ExecRule::Kind::goto_:
                    walk(rule.plugin);
                    return Next::ends;
                case ExecRule::Kind::jump:
                case ExecRule::Kind::plugin:
                    if (walk(rule.plugin) == Next::ends) return Next::ends;
                    break;
                case ExecRule::Kind::mark:
                    break;
            }
        }
        return Next::goes_on;
    }

    [[nodiscard]] bool is_branch(const ExecRule& rule) const {
        return !std::ranges::all_of(rule.matches, [this](const MatchUse& use) {
            const PluginArgs& match = settings_.plugin(use.plugin).args;
            // Behind a forward its answers end here: what follows is for the failures of that one.
            if (std::holds_alternative<HasResp>(match)) return use.negate && !has_found_;
            const auto* const constant = std::get_if<Constant>(&match);
            return constant != nullptr && constant->value != use.negate;
        });
    }

    // The forwards that an executor leads to, but those of zones, of FWD records and of probes.
    [[nodiscard]] std::vector<PluginIndex> all_below(PluginIndex index) const {
        std::vector<PluginIndex> found, open{index};
        std::vector<bool> seen(settings_.plugins.size());
        while (!open.empty()) {
            const PluginIndex at = open.back();
            open.pop_back();
            if (seen[at]) continue;
            seen[at] = true;
            const Plugin& plugin = settings_.plugin(at);
            if (std::holds_alternative<Forward>(plugin.args)) {
                found.push_back(at);
            } else if (!std::holds_alternative<Zone>(plugin.args) &&
                       !std::holds_alternative<StaticRecords>(plugin.args) &&
                       !std::holds_alternative<Prefer>(plugin.args)) {
                for (const Reference& reference : references_of(plugin))
                    open.push_back(reference.to);
            }
        }
        std::ranges::sort(found);
        return found;
    }

    // Those with `ready: false` have a place, but do not count.
    void add(std::vector<PluginIndex> any_of) {
        has_found_ = has_found_ || !any_of.empty();
        std::erase_if(any_of, [this](PluginIndex index) {
            return std::get<Forward>(settings_.plugin(index).args).ready == false;
        });
        if (!any_of.empty()) needs_.push_back({std::move(any_of), has_stale_});
    }

    const Settings& settings_;
    std::vector<ForwardNeed> needs_;
    bool has_stale_ = false, has_found_ = false;
};

void add_once(std::vector<ForwardNeed>& all, ForwardNeed need) {
    const auto known = std::ranges::find(all, need.any_of, &ForwardNeed::any_of);
    if (known == all.end()) {
        all.push_back(std::move(need));
    } else {
        known->has_stale = known->has_stale && need.has_stale;
    }
}

}  // namespace

std::vector<ForwardNeed> forward_needs(const Settings& settings) {
    std::vector<ForwardNeed> all;
    for (const PluginIndex entry : settings.entries) {
        for (ForwardNeed& need : EntryWalk(settings).run(entry))
            add_once(all, std::move(need));
    }
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const auto* const forward = std::get_if<Forward>(&settings.plugins[i].args);
        if (forward == nullptr || forward->ready != true || forward->picked_from) continue;
        if (std::ranges::find(all, std::vector{i}, &ForwardNeed::any_of) == all.end())
            all.push_back({{i}, false});
    }
    return all;
}

}  // namespace steer::config
