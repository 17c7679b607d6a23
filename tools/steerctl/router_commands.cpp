#include "router_commands.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "output.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Sentences as they are said, until it is ended.
int follow(const Options& options, json::object params) {
    std::uint64_t serial = 0;
    params["settled"] = true;
    for (;;) {
        params["since"] = serial;
        const Reply reply = ask(options.socket, "routers.trace", params);
        if (!reply.error.empty()) return fail(reply);
        if (options.as_json) {
            print_json(reply.result);
        } else {
            print(router_trace_text(reply.result));
        }
        std::fflush(stdout);
        serial = last_serial(reply.result, serial);
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
}

// Asks a router what its version does, and waits for it. What was said goes to a file, or behind
// the findings.
int run_probe(const Options& options, json::object params) {
    constexpr auto kPatience = std::chrono::seconds(60);
    params["start"] = true;
    const auto asked = std::chrono::steady_clock::now();
    Reply reply;
    ProbeProgress progress;
    for (;;) {
        reply = ask(options.socket, "routers.probe", params);
        if (!reply.error.empty()) return fail(reply);
        params.erase("start");
        progress = probe_progress(reply.result);
        if (progress.has_ended()) break;
        if (progress.state == "waiting" && std::chrono::steady_clock::now() - asked > kPatience)
            return fail(steer::ErrorCode::timeout,
                        "the router cannot be probed now: it is " + progress.router_state +
                            ", or paused, or answers wait for it; see steerctl routers");
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(router_probe_text(reply.result));
    }
    if (!options.output.empty()) {
        std::ofstream out(options.output, std::ios::binary);
        out << progress.transcript;
        out.close();
        if (!out) return fail(steer::ErrorCode::output, "cannot write " + options.output);
    } else if (!options.as_json) {
        print("\n" + progress.transcript);
    }
    if (progress.state == "complete") return 0;
    return fail(steer::ErrorCode::incomplete, "the probe is " + progress.state + "; see its text");
}

}  // namespace

RouterCommands::RouterCommands(CLI::App& app, Options& options)
    : routers(app.add_subcommand("routers", "Show and control the routers")),
      bypass(app.add_subcommand("bypass", "Stop all router writes; DNS keeps working")) {
    routers->require_subcommand(0, 1);
    routers->fallthrough();
    const auto add = [&](const char* name, const char* help, bool needs_name = false) {
        auto* const command = routers->add_subcommand(name, help);
        command
            ->add_option("NAME", options.name,
                         needs_name ? "Name of the router" : "Name of the router (default: all)")
            ->required(needs_name);
        return command;
    };
    add("status", "Show the state of each router (default)");
    diff = add("diff", "Show rows that are not on the router yet, and orphaned rows");
    reconcile = add("reconcile", "Read the rows of the router again and repair them");
    reconcile->add_flag("--orphans", options.orphans, "Also remove orphaned rows");
    shared = add("shared", "Show addresses that names outside the list also use");
    lists = add("lists", "Show the address lists and DNS servers that are followed");
    adopt = add("adopt", "Take over rows that ForgeDNS, OxiDNS or another instance wrote");
    adopt->add_option("--from", options.from, "Prefix of their comments, as in oxi")->required();
    adopt->add_flag("--apply", options.apply, "Replace their comments (default: show the rows)");
    forget = routers->add_subcommand("forget", "Remove the rows of an address from routers");
    forget->add_option("ADDRESS", options.address, "Address of the rows")->required();
    forget->add_option("--router", options.name, "Only this router (default: all)");
    pause = add("pause", "Stop writes to the router until `resume`");
    resume = add("resume", "Resume writes to the router");
    trace = add("trace", "Show the last API commands sent to the router, with its replies", true);
    trace->add_flag("--follow", options.follow, "Continue with new commands");
    errors = add("errors", "Show the last errors of the router", true);
    probe = add("probe", "Probe the RouterOS version of the router and show the dialogue", true);
    probe->add_option("-o", options.output, "Write the dialogue to this file");
    bypass->add_option("WHAT", options.verb, "on or off (default: show the state)")
        ->check(CLI::IsMember({"on", "off"}));
}

int RouterCommands::run(const Options& options) const {
    json::object params;
    if (bypass->parsed()) {
        if (!options.verb.empty()) params["on"] = options.verb == "on";
        return steerctl::show(options, "bypass", bypass_text, params);
    }
    if (!options.name.empty()) params["name"] = options.name;
    const auto show = [&](const char* method, auto text) {
        return steerctl::show(options, method, text, params);
    };
    if (diff->parsed()) return show("routers.diff", router_differences_text);
    if (shared->parsed()) return show("routers.shared", router_shared_text);
    if (lists->parsed()) return show("routers.lists", router_lists_text);
    if (adopt->parsed()) {
        params["from"] = options.from;
        params["apply"] = options.apply;
        return show("routers.adopt", router_adopted_text);
    }
    if (forget->parsed()) {
        params["address"] = options.address;
        return show("routers.forget", router_forgotten_text);
    }
    if (pause->parsed()) return show("routers.pause", router_paused_text);
    if (resume->parsed()) return show("routers.resume", router_paused_text);
    if (errors->parsed()) return show("routers.errors", router_errors_text);
    if (probe->parsed()) return run_probe(options, params);
    if (trace->parsed() && options.follow) return follow(options, params);
    if (trace->parsed()) return show("routers.trace", router_trace_text);
    if (reconcile->parsed()) {
        params["orphans"] = options.orphans;
        return show("routers.reconcile", router_reconciled_text);
    }
    return show("routers", routers_text);
}

}  // namespace steerctl
