#include "control/doctor/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <set>

#include "control/build/lists.h"
#include "control/config/load.h"
#include "control/doctor/checks.h"
#include "control/doctor/report.h"
#include "control/doctor/visit.h"
#include "control/kernel/addresses.h"
#include "control/process/command_line.h"
#include "matchers/exit_codes.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::doctor {
namespace {

struct Arguments {
    std::string config = config::kDefaultFile, router;
    bool fix = false, yes = false, json = false, redirect = false;
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
        trouble_ = client_.open(build::transport_config(access), access.username, access.password);
        if (trouble_.empty()) complete(patient.expected, client_.local_address());
    }

    Judgement judge() {
        RouterFacts facts;
        facts.name = patient_.expected.plan.names.front();
        if (trouble_.empty()) trouble_ = read_router(client_, facts);
        Judgement judgement{facts.name, facts.version, trouble_, {}};
        if (trouble_.empty()) judgement.findings = doctor::judge(facts, patient_.expected);
        return judgement;
    }

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
    std::string trouble_;
};

Judgement examine(Patient& patient, const Arguments& arguments) {
    Visit visit(patient);
    Judgement judgement = visit.judge();
    if (!arguments.fix || !visit.mend(judgement, !arguments.yes)) return judgement;
    std::cout << "After the commands:\n";
    return visit.judge();
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
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitDone : kExitRejected;
    }
    if (arguments.json && arguments.fix)
        return refuse("--json cannot ask for each command: leave out --json or --fix");
    const auto loaded = config::load(arguments.config);
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
