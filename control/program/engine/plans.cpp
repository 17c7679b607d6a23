#include "control/program/engine/plans.h"

#include <unistd.h>

#include "control/host/process/rights.h"
#include "control/program/engine/engine_files.h"
#include "control/program/engine/engine_process.h"
#include "control/program/engine/folders.h"

namespace steer::recursion {

std::vector<Plan> plans_of(const config::Settings& settings) {
    std::vector<Plan> plans;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const forward = std::get_if<config::Forward>(&plugin.args);
        if (forward == nullptr || !forward->recursion) continue;
        Plan plan{plugin.tag, *forward->recursion};
        plan.settings.first_taken_port = settings.dataplane.first_upstream_port;
        plan.settings.last_taken_port = settings.dataplane.last_upstream_port;
        plans.push_back(std::move(plan));
    }
    return plans;
}

namespace {

void check_ports(const config::Settings& settings, const Plan& plan, PlanCheck& out) {
    const config::Recursion& one = plan.settings;
    if (one.first_port == 0 || one.first_port > one.last_taken_port ||
        one.first_taken_port > one.last_port)
        return;
    out.errors.push_back(settings.error(
        one.ports_line, "'ports' of 'outgoing' of recursion '" + plan.tag + "' has ports of " +
                            std::to_string(one.first_taken_port) + "-" +
                            std::to_string(one.last_taken_port) +
                            ", from which SteerDNS itself asks ('upstream_ports' of dataplane): "
                            "choose others, as in 30000-60000"));
}

Result<EngineUser> lower_starter_of(const config::Settings& settings) {
    const auto user = resolve_user(settings.control.user);
    return lower_starter(user ? *user : std::string());
}

// Error: it could not be asked.
Result<std::vector<CheckError>> ask_check(const config::Settings& settings, const Plan& plan) {
    if (const auto user = lower_starter_of(settings); !user) return user.error();
    // In the folder that has the root's key on every machine: the instances' own may not exist yet.
    const std::string folder(kRootKey.substr(0, kRootKey.rfind('/')));
    use_file_rules(settings.control.landlock);
    return check(configuration(plan.settings, folder, plan.settings.port), files_of(plan.settings));
}

Error refusal(const config::Settings& settings, const Plan& plan, const CheckError& error) {
    return settings.error(error.line,
                          "recursion '" + plan.tag + "': unbound refuses this: " + error.text);
}

}  // namespace

PlanCheck check_plans(const config::Settings& settings) {
    PlanCheck out;
    const std::string missing = why_missing();
    for (const Plan& plan : plans_of(settings)) {
        if (!missing.empty()) {
            out.errors.push_back(
                settings.error(plan.settings.line, "recursion '" + plan.tag + "' " + missing));
            continue;
        }
        check_ports(settings, plan, out);
        if (const auto user = lower_starter_of(settings); !user) {
            out.warnings.push_back(
                settings.error(plan.settings.line,
                               "recursion '" + plan.tag +
                                   "': unbound did not check this part: " + user.error().text));
            continue;
        }
        const auto found = ask_check(settings, plan);
        const auto errors =
            found ? *found : std::vector{CheckError{plan.settings.line, found.error().text}};
        for (const CheckError& error : errors)
            out.errors.push_back(refusal(settings, plan, error));
    }
    return out;
}

std::vector<Error> refused_by_engine(const config::Settings& settings) {
    std::vector<Error> out;
    if (!why_missing().empty()) return out;
    for (const Plan& plan : plans_of(settings)) {
        const auto found = ask_check(settings, plan);
        for (std::size_t i = 0; found && i < found->size(); ++i)
            out.push_back(refusal(settings, plan, (*found)[i]));
    }
    return out;
}

std::vector<Error> leave_out_extra(config::Settings& settings) {
    std::vector<Error> warnings;
    if (!why_missing().empty()) return warnings;
    for (Plan& plan : plans_of(settings)) {
        if (plan.settings.extra.empty()) continue;
        const auto found = ask_check(settings, plan);
        if (!found || found->empty()) continue;
        const int line = plan.settings.extra.front().line;
        plan.settings.extra.clear();
        const auto without = ask_check(settings, plan);
        if (!without || !without->empty()) continue;  // they are not the reason
        const std::string text = "unbound refuses lines in 'extra' of recursion '" + plan.tag +
                                 "', so all of them are left out: " + found->front().text;
        for (config::Plugin& plugin : settings.plugins) {
            auto* const forward = std::get_if<config::Forward>(&plugin.args);
            if (plugin.tag != plan.tag || forward == nullptr || !forward->recursion) continue;
            forward->recursion->extra.clear();
            forward->recursion->left_out.push_back({text, line});
        }
        warnings.push_back(settings.error(line, text));
    }
    return warnings;
}

std::vector<Error> advice(const config::Settings& settings) {
    std::vector<Error> out;
    // Another user cannot know what root may do.
    if (::geteuid() != 0 || engine_user(settings.control.user).is_own) return out;
    for (const Plan& plan : plans_of(settings))
        out.push_back(settings.error(
            plan.settings.line, "recursion '" + plan.tag +
                                    "': unbound will run as the user of steerdnsd, because there "
                                    "is no user " +
                                    std::string(kUser) + "; run 'systemd-sysusers'"));
    return out;
}

}  // namespace steer::recursion
