#include "machine_commands.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "output.h"
#include "report.h"
#include "setup.h"

namespace steerctl {
namespace json = boost::json;

SetupCommand::SetupCommand(CLI::App& app)
    : setup(app.add_subcommand(
          "setup", "Show what this machine needs for the configuration, with commands")) {
    setup->add_option("-c,--config", config,
                      "Configuration (default: /etc/steerdns/steerdns.yaml)");
    auto* const check = setup->add_flag("--check", as_lines, "Print one line per finding");
    auto* const apply =
        setup->add_flag("--apply", applies, "Run the commands, each after a question")
            ->excludes(check);
    setup->add_flag("--undo", undoes, "Run the undo commands of --apply")
        ->excludes(check)
        ->excludes(apply);
    setup->add_flag("--yes", agrees, "With --apply and --undo: ask nothing")->excludes(check);
}

int SetupCommand::run(const Options& options) const {
    std::vector<std::string> words;
    if (!config.empty()) words.insert(words.end(), {"--config", config});
    const auto add = [&words](bool is_given, const char* option) {
        if (is_given) words.emplace_back(option);
    };
    add(as_lines, "--check");
    add(applies, "--apply");
    add(undoes, "--undo");
    add(agrees, "--yes");
    add(options.as_json, "--json");
    return fail(steer::ErrorCode::not_started, become_setup(words));
}

DoctorCommand::DoctorCommand(CLI::App& app)
    : doctor(app.add_subcommand(
          "doctor", "Show problems on the routers of the configuration, with commands")) {
    doctor->add_option("ROUTER", router, "Name or host of a router (default: all)");
    doctor->add_option("-c,--config", config,
                       "Configuration (default: /etc/steerdns/steerdns.yaml)");
    auto* const fix = doctor->add_flag("--fix", fixes, "Run the commands, each after a question");
    doctor->add_flag("--yes", agrees, "With --fix: ask nothing")->needs(fix);
    doctor->add_flag("--redirect", redirects,
                     "Show the rules for clients that use other DNS servers");
    constexpr std::tuple<const char*, const char*, const char*> kValues[] = {
        {"--probe", "NAME",
         "Resolve a name that is on a list, connect to it, and ask the router for the "
         "connection's mark and egress"},
        {"--probe-nat64", "NAME",
         "Connect to a name with IPv4 addresses only through the NAT64 (default: the name of "
         "--probe)"},
        {"--probe-from", "ADDRESS",
         "Probe from this address of this host, on a segment of clients (default: the address "
         "that the router sees)"},
        {"--probe-port", "PORT", "Port to connect to (default: 443)"}};
    for (const auto& [name, value, help] : kValues)
        doctor->add_option(name, given[name], help)->option_text(value);
    watch = doctor
                ->add_option("--watch", seconds,
                             "Repeat every SECONDS (default: 60) until it is stopped; the "
                             "daemon shows the reports. With --fix, withdraw DHCP option 108 "
                             "while the NAT64 is dead, and write nothing else")
                ->option_text("[SECONDS]")
                ->expected(0, 1);
}

int DoctorCommand::run(const Options& options) const {
    std::vector<std::string> words;
    if (!router.empty()) words.push_back(router);
    if (!config.empty()) words.insert(words.end(), {"--config", config});
    if (fixes) words.emplace_back("--fix");
    if (agrees) words.emplace_back("--yes");
    if (redirects) words.emplace_back("--redirect");
    if (options.as_json) words.emplace_back("--json");
    for (const auto& [name, value] : given)
        if (!value.empty()) words.insert(words.end(), {name, value});
    if (options.socket != Options{}.socket)
        words.insert(words.end(), {"--control-socket", options.socket});
    if (watch->count() > 0) words.emplace_back("--watch");
    if (!seconds.empty()) words.push_back(seconds);
    return fail(steer::ErrorCode::not_started, become_doctor(words));
}

}  // namespace steerctl
