#include "control/operator/doctor/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iostream>
#include <set>

#include "control/host/kernel/addresses.h"
#include "control/host/process/command_line.h"
#include "control/operator/doctor/checks.h"
#include "control/operator/doctor/prober.h"
#include "control/operator/doctor/report.h"
#include "control/operator/doctor/tell.h"
#include "control/operator/doctor/visit.h"
#include "control/operator/doctor/watch.h"
#include "control/operator/doctor/wire.h"
#include "control/program/build/lists.h"
#include "control/program/reload/reloader.h"
#include "dataplane/dns/name.h"
#include "matchers/exit_codes.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::doctor {
namespace {

constexpr unsigned kWatchS = 60, kMaxWatchS = 86'400;

struct Arguments {
    std::string config = config::kDefaultFile, router;
    std::string socket;  // of the daemon; empty: `control.socket`
    bool fix = false, yes = false, json = false, redirect = false;
    std::string from, port, watch;  // as written
    ProbeOptions probe;
    bool watches = false;
    unsigned every_s = kWatchS;
};

// A router with its access.
struct Patient {
    Expected expected;
    const config::Router* access;
};

std::vector<Patient> patients_of(const config::Settings& settings, const std::string& wanted) {
    std::vector<Patient> patients;
    for (Expected& expected : expected_of(settings)) {
        const auto& names = expected.plan.names;
        if (!wanted.empty() && wanted != expected.plan.host &&
            std::ranges::count(names, wanted) == 0)
            continue;
        const auto access =
            std::ranges::find(settings.routers, names.front(), &config::Router::name);
        patients.push_back({std::move(expected), &*access});
    }
    return patients;
}

// What the configuration leaves to the machine: clients ask the address that the router sees us at, and the IPv6 address
// of that interface.
void complete(Expected& expected, const std::string& local) {
    const auto ours = IpAddress::parse(local);
    if (!ours || ours->is_loopback()) return;
    if (expected.plan.api_client.empty()) expected.plan.api_client = local;
    if (!expected.dns4 && ours->is_v4()) expected.dns4 = ours;
    if (expected.dns6) return;
    auto netlink = kernel::Netlink::open();
    if (!netlink) return;
    const kernel::Interfaces seen = kernel::read_interfaces(**netlink);
    const auto here = std::ranges::find(seen.addresses, *ours, &kernel::Address::ip);
    if (here == seen.addresses.end()) return;
    for (const kernel::Address& address : seen.addresses) {
        const bool fits = address.if_index == here->if_index && !address.ip.is_v4() &&
                          !address.ip.is_link_local();
        if (fits && !expected.dns6) expected.dns6 = address.ip;
    }
}

// What to do about a refusal.
std::string hint_of(const std::string& why, const std::string& version) {
    const bool is_unknown =
        why.find("unknown parameter") != why.npos || why.find("no such command") != why.npos;
    if (!is_unknown) return "; a user with more rights can paste the commands";
    const auto parsed = routeros::Version::parse(version);
    if (!parsed || *parsed < routeros::kOldestCompared)
        return "; this RouterOS is older than those that the commands were compared with";
    return "; RouterOS " + parsed->to_string() +
           " has this command: the version is not the one that runs, or the user's rights hide it";
}

class Visit {
  public:
    explicit Visit(Patient& patient) : patient_(patient) {
        const config::Router& access = *patient.access;
        error_ = client_.open(build::transport_config(access), access.username,
                              std::string(access.password.text()));
        if (error_.empty()) complete(patient.expected, client_.local_address());
    }

    Judgement judge(const ProbeOptions& options = {}) { return inspect(options).judgement; }

    // With what a watch needs. The probe is made if it is wanted.
    Round inspect(const ProbeOptions& options) {
        RouterFacts facts;
        facts.name = patient_.expected.plan.names.front();
        if (error_.empty()) error_ = read_router(client_, facts);
        Round round{{facts.name, facts.version, error_, {}}, Nat64Watch::Seen::unknown, {}, {}, {}};
        if (!error_.empty()) return round;
        round.judgement.findings = doctor::judge(facts, patient_.expected);
        round.option = read_option108(facts);
        round.withdraw = withdraw_option108(facts);
        round.put_back = put_back_option108(facts);
        if (!options.is_wanted()) {
            demand_proof(round.judgement.findings, {});
            return round;
        }
        ProbeResult seen = probe(client_, facts, patient_.expected, options);
        std::ranges::move(seen.findings, std::back_inserter(round.judgement.findings));
        round.judgement.steps = std::move(seen.steps);
        round.nat64 = seen.nat64;
        demand_proof(round.judgement.findings, round.judgement.steps);
        return round;
    }

    std::string write(const std::vector<Change>& changes) { return carry_out(client_, changes); }

    // Whether a command was carried out.
    bool mend(const Judgement& judgement, bool asks) {
        bool did = false;
        for (const Finding& finding : judgement.findings) {
            if (finding.fix.empty()) continue;
            write_finding(finding, std::cout);
            if (asks && !agree("Do it?")) continue;
            if (std::string why = carry_out(client_, finding.fix); !why.empty()) {
                std::cout << "    refused: " << safe_text(why, kSafeLineBytes)
                          << hint_of(why, judgement.version) << "\n";
                continue;
            }
            did = true;
        }
        return did;
    }

  private:
    Patient& patient_;
    routeros::Client client_;
    std::string error_;
};

Judgement examine(Patient& patient, const Arguments& arguments) {
    Visit visit(patient);
    Judgement judgement = visit.judge(arguments.probe);
    if (!arguments.fix || !visit.mend(judgement, !arguments.yes)) return judgement;
    std::cout << "After the commands:\n";
    return visit.judge(arguments.probe);
}

// Waits for SIGTERM and SIGINT, which end a watch between two rounds, or in one.
class Interval {
  public:
    Interval() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGTERM);
        sigaddset(&signals_, SIGINT);
        (void)::sigprocmask(SIG_BLOCK, &signals_, nullptr);
    }
    // False: a signal arrived.
    [[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point end) const {
        using std::chrono::nanoseconds;
        for (;;) {
            const auto left = std::max<std::int64_t>(
                std::chrono::duration_cast<nanoseconds>(end - std::chrono::steady_clock::now())
                    .count(),
                0);
            constexpr std::int64_t kSecond = 1'000'000'000;
            const timespec time{left / kSecond, left % kSecond};
            if (::sigtimedwait(&signals_, nullptr, &time) > 0) return false;
            if (errno != EINTR) return true;
        }
    }

  private:
    sigset_t signals_{};
};

int watch(std::vector<Patient>& patients, const Arguments& arguments, const std::string& socket) {
    const Interval interval;
    Watch state(arguments.fix, std::cout);
    std::string unsent;  // why the daemon did not get the last report
    for (auto next = std::chrono::steady_clock::now();;) {
        next = std::max(next + std::chrono::seconds(arguments.every_s),
                        std::chrono::steady_clock::now());
        for (Patient& patient : patients) {
            Visit visit(patient);
            const Round round = visit.inspect(arguments.probe);
            state.see(round, [&](const auto& changes) { return visit.write(changes); });
            const std::string why = tell_daemon(
                socket, round, {arguments.every_s, state.is_nat64_dead(round.judgement.router)});
            if (why != unsent && !why.empty())
                std::cerr << "steerdnsd does not have the report: "
                          << safe_text(why, kSafeLineBytes)
                          << "; start it, or check `control.socket`\n";
            unsent = why;
            if (!interval.wait_until(std::chrono::steady_clock::now())) return kExitDone;
        }
        if (!interval.wait_until(next)) return kExitDone;
    }
}

std::optional<unsigned> number_of(const std::string& text, unsigned most) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_good =
        error == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= most;
    return is_good ? std::optional(value) : std::nullopt;
}

// What is wrong with the options of the probe and the watch, as a sentence; empty: nothing.
std::string read_probe(Arguments& arguments) {
    ProbeOptions& probe = arguments.probe;
    for (const std::string& name : {probe.name, probe.nat64_name}) {
        if (!name.empty() && !dns::name_from_text(name))
            return "the name to probe is " + matchers::quoted(name) + ": expected a domain name";
    }
    if (!arguments.port.empty()) {
        constexpr unsigned kMaxPort = 65'535;
        const auto port = number_of(arguments.port, kMaxPort);
        if (!port)
            return "--probe-port is " + matchers::quoted(arguments.port) + ": expected 1 to 65535";
        probe.port = static_cast<std::uint16_t>(*port);
    }
    if (!arguments.from.empty()) {
        probe.from = IpAddress::parse(arguments.from);
        if (!probe.from)
            return "--probe-from is " + matchers::quoted(arguments.from) +
                   ": expected an IP address";
        if (!find_foot(*probe.from))
            return "--probe-from is " + arguments.from +
                   ": no interface of this host has that address; ip address shows them";
    }
    if (!arguments.watches) return {};
    if (!arguments.watch.empty()) {
        const auto every_s = number_of(arguments.watch, kMaxWatchS);
        if (!every_s)
            return "--watch is " + matchers::quoted(arguments.watch) +
                   ": expected 1 to 86400 seconds; write the router before --watch";
        arguments.every_s = *every_s;
    }
    if (arguments.json) return "--watch has no --json: the daemon's metrics are for programs";
    if (arguments.fix && !probe.is_wanted())
        return "--watch --fix minds DHCP option 108 by the NAT64, which needs a name with IPv4 "
               "addresses only: add --probe-nat64 NAME";
    return {};
}

}  // namespace

int run_doctor(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"Reads the routers of a configuration, and says what is wrong on them."};
    app.name("steerctl doctor");
    app.add_option("router", arguments.router, "its name or host");
    app.add_option("-c,--config", arguments.config, "the configuration");
    app.add_flag("--fix", arguments.fix, "carry out the commands");
    app.add_flag("--yes", arguments.yes, "do not ask");
    app.add_flag("--redirect", arguments.redirect,
                 "show the rules for clients that ask other DNS servers");
    app.add_flag("--json", arguments.json, "as JSON");
    app.add_option("--control-socket", arguments.socket, "the daemon that gets the reports");
    app.add_option("--probe", arguments.probe.name, "a name on a list: resolve it, and connect");
    app.add_option("--probe-from", arguments.from, "an address of this host on a client segment");
    app.add_option("--probe-port", arguments.port, "the port to connect to");
    app.add_option("--probe-nat64", arguments.probe.nat64_name, "a name with IPv4 addresses only");
    const auto* const watches =
        app.add_option("--watch", arguments.watch, "again and again, every SECONDS")
            ->expected(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitDone : kExitRejected;
    }
    if (arguments.json && arguments.fix)
        return refuse("--json cannot ask for each command: leave out --json or --fix");
    arguments.watches = watches->count() > 0;
    if (const std::string why = read_probe(arguments); !why.empty()) return refuse(why);
    ConfigSource source;
    source.path = arguments.config;
    source.options.leaves_out_lines = true;
    const auto loaded = source.load();
    print_errors(loaded.errors);
    if (!loaded.ok()) return kExitRejected;
    auto patients = patients_of(loaded.settings, arguments.router);
    if (patients.empty() && arguments.router.empty()) {
        std::cout << "the configuration uses no router\n";
        return kExitDone;
    }
    if (patients.empty())
        return refuse("no router of the configuration is called " +
                      matchers::quoted(arguments.router) +
                      "; write a name or a host of `routers:`");
    if (arguments.watches)
        return watch(patients, arguments,
                     arguments.socket.empty() ? loaded.settings.control.socket : arguments.socket);
    std::vector<Judgement> judgements;
    for (Patient& patient : patients) {
        patient.expected.redirects = arguments.redirect;
        judgements.push_back(examine(patient, arguments));
        if (!arguments.json) write_text(judgements.back(), std::cout);
    }
    if (arguments.json) write_json(judgements, std::cout);
    return count_problems(judgements) == 0 ? kExitDone : kExitFailed;
}

}  // namespace steer::doctor
