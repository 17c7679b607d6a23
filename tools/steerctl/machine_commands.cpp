// `setup` and `doctor`: steerdnsd does the work, because it has the configuration's parser.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "commands.h"

namespace steerctl {
namespace {

namespace fs = std::filesystem;

// Installed in one folder; in a build tree two above.
std::string find_daemon() {
    std::error_code failed;
    const fs::path folder = fs::read_symlink("/proc/self/exe", failed).parent_path();
    for (const fs::path& path : {folder / "steerdnsd", folder / "../../steerdnsd"})
        if (::access(path.c_str(), X_OK) == 0) return path.string();
    return "steerdnsd";
}

// Becomes steerdnsd, which is beside this program, or in PATH. Returns only if it cannot: a sentence.
std::string become(const char* option, const std::vector<std::string>& options) {
    std::vector<std::string> words{find_daemon(), option};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv.front(), argv.data());
    return words.front() + " cannot be started: " + std::strerror(errno) +
           "; install it beside steerctl, or in a folder of PATH";
}

struct Setup {
    std::string config;
    bool as_lines = false, applies = false, undoes = false, agrees = false;
};

struct Doctor {
    CLI::Option* watch = nullptr;
    std::string router, config, seconds;
    std::map<std::string, std::string> given;
    bool fixes = false, agrees = false, redirects = false;
};

int run_setup(const Options& options, const Setup& setup) {
    std::vector<std::string> words;
    if (!setup.config.empty()) words.insert(words.end(), {"--config", setup.config});
    const auto add = [&words](bool is_given, const char* option) {
        if (is_given) words.emplace_back(option);
    };
    add(setup.as_lines, "--check");
    add(setup.applies, "--apply");
    add(setup.undoes, "--undo");
    add(setup.agrees, "--yes");
    add(options.as_json, "--json");
    return fail(steer::ErrorCode::not_started, become("--setup-machine", words));
}

int run_doctor(const Options& options, const Doctor& doctor) {
    std::vector<std::string> words;
    if (!doctor.router.empty()) words.push_back(doctor.router);
    if (!doctor.config.empty()) words.insert(words.end(), {"--config", doctor.config});
    if (doctor.fixes) words.emplace_back("--fix");
    if (doctor.agrees) words.emplace_back("--yes");
    if (doctor.redirects) words.emplace_back("--redirect");
    if (options.as_json) words.emplace_back("--json");
    for (const auto& [name, value] : doctor.given)
        if (!value.empty()) words.insert(words.end(), {name, value});
    if (options.socket != Options{}.socket)
        words.insert(words.end(), {"--control-socket", options.socket});
    if (doctor.watch->count() > 0) words.emplace_back("--watch");
    if (!doctor.seconds.empty()) words.push_back(doctor.seconds);
    return fail(steer::ErrorCode::not_started, become("--doctor-routers", words));
}

}  // namespace

Run add_setup(CLI::App& command, Options& options) {
    const auto setup = std::make_shared<Setup>();
    command.add_option("-c,--config", setup->config,
                       "Configuration (default: /etc/steerdns/steerdns.yaml)");
    auto* const check = command.add_flag("--check", setup->as_lines, "Print one line per finding");
    auto* const apply =
        command.add_flag("--apply", setup->applies, "Run the commands, each after a question")
            ->excludes(check);
    command.add_flag("--undo", setup->undoes, "Run the undo commands of --apply")
        ->excludes(check)
        ->excludes(apply);
    command.add_flag("--yes", setup->agrees, "With --apply and --undo: ask nothing")
        ->excludes(check);
    return [&options, setup] { return run_setup(options, *setup); };
}

Run add_doctor(CLI::App& command, Options& options) {
    const auto doctor = std::make_shared<Doctor>();
    command.add_option("ROUTER", doctor->router, "Name or host of a router (default: all)");
    command.add_option("-c,--config", doctor->config,
                       "Configuration (default: /etc/steerdns/steerdns.yaml)");
    auto* const fix =
        command.add_flag("--fix", doctor->fixes, "Run the commands, each after a question");
    command.add_flag("--yes", doctor->agrees, "With --fix: ask nothing")->needs(fix);
    command.add_flag("--redirect", doctor->redirects,
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
        command.add_option(name, doctor->given[name], help)->option_text(value);
    doctor->watch =
        command
            .add_option("--watch", doctor->seconds,
                        "Repeat every SECONDS (default: 60) until it is stopped; the "
                        "daemon shows the reports. With --fix, withdraw DHCP option 108 "
                        "while the NAT64 is dead, and write nothing else")
            ->option_text("[SECONDS]")
            ->expected(0, 1);
    return [&options, doctor] { return run_doctor(options, *doctor); };
}

}  // namespace steerctl
