#include "control/program/engine/plans.h"

#include <unistd.h>

#include "control/host/process/rights.h"
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

PlanCheck check_plans(const config::Settings& settings) {
    PlanCheck out;
    const auto plans = plans_of(settings);
    if (plans.empty()) return out;
    if (const std::string missing = why_missing(); !missing.empty()) {
        for (const Plan& plan : plans)
            out.errors.push_back(
                settings.error(plan.settings.line, "recursion '" + plan.tag + "' " + missing));
        return out;
    }
    for (const Plan& plan : plans) {
        const config::Recursion& one = plan.settings;
        if (one.first_port != 0 && one.first_port <= one.last_taken_port &&
            one.first_taken_port <= one.last_port)
            out.errors.push_back(settings.error(
                one.ports_line,
                "'ports' of 'outgoing' of recursion '" + plan.tag + "' has ports of " +
                    std::to_string(one.first_taken_port) + "-" +
                    std::to_string(one.last_taken_port) +
                    ", from which SteerDNS itself asks ('upstream_ports' of dataplane): choose "
                    "others, as in 30000-60000"));
    }
    const auto user = resolve_user(settings.control.user);
    const auto engine = lower_starter(user ? *user : std::string());
    // In the folder that has the root's key on every machine: the instances' own may not exist yet.
    const std::string folder(kRootKey.substr(0, kRootKey.rfind('/')));
    for (const Plan& plan : plans) {
        const std::string owner = "recursion '" + plan.tag + "': ";
        if (!engine) {
            out.warnings.push_back(settings.error(
                plan.settings.line,
                owner + "unbound did not check this part: " + engine.error().text));
            continue;
        }
        for (const CheckError& error :
             check(configuration(plan.settings, folder, plan.settings.port)))
            out.errors.push_back(
                settings.error(error.line, owner + "unbound refuses this: " + error.text));
    }
    return out;
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
