#include "control/operator/machine/command.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "control/config/load.h"
#include "control/host/kernel/addresses.h"
#include "control/host/kernel/packet_filter.h"
#include "control/host/process/command_line.h"
#include "control/host/process/file_rules.h"
#include "control/operator/machine/apply.h"
#include "control/operator/machine/checks.h"
#include "control/operator/machine/report.h"
#include "control/program/reload/numa_plan.h"
#include "control/program/reload/reloader.h"
#include "control/program/reload/sizing.h"
#include "control/streams/listen/port_owner.h"
#include "dataplane/port/descriptor.h"
#include "matchers/exit_codes.h"

namespace steer::machine {
namespace {

struct Arguments {
    std::string config;
    bool check = false, apply = false, undo = false, yes = false, json = false;
};

// ---- what only the running kernel says

template <class Question>
bool ask_ethtool(const std::string& interface, Question& question) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&question);
    return ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0;
}

InterfaceFacts read_interface(const std::string& name) {
    InterfaceFacts facts;
    if (auto netlink = kernel::Netlink::open()) {
        const kernel::Interfaces seen = kernel::read_interfaces(**netlink);
        for (const kernel::Address& address : seen.addresses) {
            const kernel::Link* const link = seen.find(address.if_index);
            if (link != nullptr && link->name == name) facts.addresses.push_back(address.ip);
        }
    }
    ethtool_value flags{};
    flags.cmd = ETHTOOL_GFLAGS;
    if (ask_ethtool(name, flags)) facts.merges_frames = (flags.data & ETH_FLAG_LRO) != 0;
    ethtool_ringparam rings{};
    rings.cmd = ETHTOOL_GRINGPARAM;
    if (ask_ethtool(name, rings)) {
        facts.rx_ring = rings.rx_pending;
        facts.most_rx_ring = rings.rx_max_pending;
    }
    return facts;
}

std::optional<SocketOwner> owner_of(const IpAddress& address, std::uint16_t port, bool udp) {
    const auto owner =
        stream::find_port_owner({.transport = udp ? stream::Transport::udp : stream::Transport::tcp,
                                 .address = address,
                                 .port = port});
    if (!owner) return std::nullopt;
    return SocketOwner{owner->pid, owner->name};
}

bool kernel_has_af_xdp() {
    const Descriptor socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    return socket.get() >= 0 || errno != EAFNOSUPPORT;
}

bool is_clock_set() {
    timex state{};
    return ::adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

Subject subject_of(const config::Settings& settings) {
    Subject subject{.settings = settings,
                    .root = {},
                    .host = read_host(),
                    .ask = ask_kernel,
                    .inspect = read_interface,
                    .management_path = {},
                    .owner = owner_of,
                    .worker_cpus = {},
                    .memory = read_memory_facts(),
                    .has_af_xdp = kernel_has_af_xdp(),
                    .clock_is_set = is_clock_set(),
                    .has_user = false,
                    .input_filters = kernel::find_input_filters(),
                    .has_landlock = FileRules::kernel_version() > 0};
    subject.management_path = [host = subject.host](const PciDevice& nic) {
        return management_path(nic, host);
    };
    // Isolated ones too, which this process may not use.
    const auto online = parse_cpu_list(subject.word("/sys/devices/system/cpu/online"));
    const auto allowed = online.empty() ? allowed_cpus() : online;
    if (const auto plan = plan_cpus(
            settings.dataplane, allowed,
            cpus_near_ports(settings, NumaNodes::read(), allowed, subject.host.default_interface)))
        subject.worker_cpus = plan->workers;
    const std::string& user = settings.control.user;
    subject.has_user = ::getpwnam(user.empty() ? "steerdns" : user.c_str()) != nullptr;
    return subject;
}

// ---- the command

int run_command(const std::string& command) {
    std::string shell = "sh", option = "-c", text = command;
    char* const argv[] = {shell.data(), option.data(), text.data(), nullptr};
    pid_t pid = 0;
    if (::posix_spawn(&pid, "/bin/sh", nullptr, nullptr, argv, environ) != 0) return 127;
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

ExitCode change(const Arguments& arguments, const Findings& findings) {
    if (::geteuid() != 0) return refuse("setup changes this machine: run it as root");
    Hands hands{agree, run_command, std::cout};
    if (arguments.yes) hands.agrees = [](const std::string&) { return true; };
    return arguments.undo ? undo(UndoFile(), hands) : apply(findings, UndoFile(), hands);
}

// Nothing: it was refused, and the reason was reported.
std::optional<config::Settings> load(const std::string& given) {
    const std::string file = given.empty() ? config::kDefaultFile : given;
    std::error_code ignored;
    if (given.empty() && !std::filesystem::exists(file, ignored)) {
        std::fprintf(
            stderr,
            "steerctl: there is no %s yet (`steerdnsd --init` writes one): this is what the "
            "defaults need\n",
            file.c_str());
        return config::Settings{};
    }
    ConfigSource source;
    source.path = file;
    source.options.leaves_out_lines = true;
    auto loaded = source.load();
    print_errors(loaded.errors);
    if (!loaded.ok()) return std::nullopt;
    return std::move(loaded.settings);
}

}  // namespace

ExitCode run_setup(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"What this machine needs for a configuration, and what gives it."};
    app.name("steerctl setup");
    app.add_option("-c,--config", arguments.config, "the configuration");
    app.add_flag("--check", arguments.check, "one line a finding");
    app.add_flag("--apply", arguments.apply, "run the commands");
    app.add_flag("--undo", arguments.undo, "take back what --apply did");
    app.add_flag("--yes", arguments.yes, "do not ask");
    app.add_flag("--json", arguments.json, "as JSON");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitDone : kExitRejected;
    }
    if (arguments.undo) return change(arguments, {});
    const auto settings = load(arguments.config);
    if (!settings) return kExitRejected;
    Findings findings = inspect_all(subject_of(*settings));
    if (arguments.apply) {
        if (const ExitCode code = change(arguments, findings); code != kExitDone) return code;
        // What is left: without a command, left by the operator, or without effect.
        findings = inspect_all(subject_of(*settings));
        std::erase_if(findings, [](const Finding& finding) { return finding.level == Level::ok; });
        if (!findings.empty()) std::cout << "still to do:\n";
        write_lines(findings, std::cout);
    } else if (arguments.json) {
        write_json(findings, std::cout);
    } else if (arguments.check) {
        write_lines(findings, std::cout);
    } else {
        write_text(findings, std::cout);
    }
    return count(findings, Level::problem) == 0 ? kExitDone : kExitFailed;
}

}  // namespace steer::machine
