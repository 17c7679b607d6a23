#include "control/config/advice/steps.h"

#include <algorithm>
#include <optional>

#include "control/config/advice/graph.h"
#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::size_t kMaxJobSteps = 1000;

class Flattening {
  public:
    explicit Flattening(const Settings& settings) : settings_(settings) {}

    // The steps after it.
    enum class End : std::uint8_t { next, returned, stopped };

    End executor(PluginIndex index, int line) {
        const Plugin& plugin = settings_.plugin(index);
        if (const auto* inner = std::get_if<Sequence>(&plugin.args)) return sequence(*inner);
        const bool alone = works_beside_queries(plugin) ||
                           std::holds_alternative<Sleep>(plugin.args) ||
                           std::holds_alternative<DebugPrint>(plugin.args);
        if (!alone)
            fail(line, owner_of(plugin) +
                           " needs a query, but a cron has none: use download, reload, "
                           "reload_provider, sleep, debug_print, or sequences of these");
        steps.push_back(index);
        if (steps.size() > kMaxJobSteps) fail(line, "a job of more than 1000 steps: split it");
        return error ? End::stopped : End::next;
    }

    std::vector<PluginIndex> steps;
    std::optional<Error> error;

  private:
    void fail(int line, std::string text) {
        if (!error) error = settings_.error(line, std::move(text));
    }

    End sequence(const Sequence& sequence) {
        for (const ExecRule& rule : sequence.rules) {
            if (error) return End::stopped;
            if (!holds(rule)) continue;
            const End end = run(rule);
            // The target of a goto replaces the rest.
            if (end != End::next || rule.kind == ExecRule::Kind::goto_) return end;
        }
        return End::next;
    }

    bool holds(const ExecRule& rule) {
        return std::all_of(rule.matches.begin(), rule.matches.end(), [&](const MatchUse& match) {
            const Plugin& plugin = settings_.plugin(match.plugin);
            const auto* constant = std::get_if<Constant>(&plugin.args);
            if (constant == nullptr)
                fail(match.line, owner_of(plugin) +
                                     " needs a query, but the cron that runs this has none: use a "
                                     "separate sequence for the cron");
            return constant != nullptr && constant->value != match.negate;
        });
    }

    End run(const ExecRule& rule) {
        using Kind = ExecRule::Kind;
        switch (rule.kind) {
            case Kind::plugin:
                return executor(rule.plugin, rule.line);
            case Kind::jump: {
                const End end = executor(rule.plugin, rule.line);
                return end == End::returned ? End::next : end;
            }
            case Kind::goto_:
                return executor(rule.plugin, rule.line);
            case Kind::return_:
                return End::returned;
            case Kind::accept:
                return End::stopped;
            case Kind::reject:
            case Kind::drop:
            case Kind::mark:
                fail(rule.line,
                     "reject, drop and mark need a query, but the cron that runs this has none");
                return End::stopped;
        }
        return End::stopped;
    }

    const Settings& settings_;
};

}  // namespace

Result<std::vector<PluginIndex>> steps_of(const Settings& settings, PluginIndex executor,
                                          int line) {
    Flattening all(settings);
    all.executor(executor, line);
    if (all.error) return *all.error;
    return std::move(all.steps);
}

void check_crons(Reading& in) {
    const Settings& settings = in.settings();
    for (const Plugin& plugin : settings.plugins) {
        for (const auto& [to, line] : references_of(plugin)) {
            if (std::holds_alternative<Cron>(settings.plugin(to).args))
                in.report().error(line,
                                  owner_of(settings.plugin(to)) +
                                      " runs by its schedule only: remove the reference to it");
        }
        const auto* const cron = std::get_if<Cron>(&plugin.args);
        if (cron == nullptr) continue;
        for (const CronJob& job : cron->jobs) {
            for (const PluginIndex executor : job.executors) {
                if (std::holds_alternative<Cron>(settings.plugin(executor).args)) continue;
                const auto steps = steps_of(settings, executor, job.line);
                if (!steps)
                    in.report().error(job.line, "job '" + job.name + "' of " + owner_of(plugin) +
                                                    ": " + steps.error().text);
            }
        }
    }
}

bool works_beside_queries(const Plugin& plugin) {
    return std::holds_alternative<Download>(plugin.args) ||
           std::holds_alternative<ReloadAll>(plugin.args) ||
           std::holds_alternative<ReloadProvider>(plugin.args);
}

std::vector<PluginIndex> raised_by_queries(const Settings& settings) {
    std::vector<PluginIndex> raised;
    std::vector<bool> seen(settings.plugins.size());
    std::vector<PluginIndex> todo = settings.entries;
    while (!todo.empty()) {
        const PluginIndex i = todo.back();
        todo.pop_back();
        if (seen[i]) continue;
        seen[i] = true;
        if (works_beside_queries(settings.plugin(i))) raised.push_back(i);
        for (const auto& [to, line] : references_of(settings.plugin(i)))
            todo.push_back(to);
    }
    return raised;
}

}  // namespace steer::config
