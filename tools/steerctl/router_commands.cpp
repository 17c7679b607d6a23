#include <boost/json/object.hpp>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Sentences as they are reported, until it is ended.
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

// Asks a router what its version does, and waits for it. What was reported goes to a file, or behind
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

json::object of_router(const Options& options) {
    json::object params;
    if (!options.name.empty()) params["name"] = options.name;
    return params;
}

void add_router(CLI::App& command, Options& options, bool is_required = false) {
    command
        .add_option("NAME", options.name,
                    is_required ? "Name of the router" : "Name of the router (default: all)")
        ->required(is_required);
}

// Of a row of the table: a command with the name of a router, whose answer is shown.
template <const char* kMethod, auto kText, bool kNeedsName = false>
Run add_router_query(CLI::App& command, Options& options) {
    add_router(command, options, kNeedsName);
    return [&options] { return show(options, kMethod, kText, of_router(options)); };
}

constexpr char kStatus[] = "routers", kDiff[] = "routers.diff", kShared[] = "routers.shared",
               kLists[] = "routers.lists", kPause[] = "routers.pause", kResume[] = "routers.resume",
               kErrors[] = "routers.errors";

Run add_reconcile(CLI::App& command, Options& options) {
    add_router(command, options);
    command.add_flag("--orphans", options.orphans, "Also remove orphaned rows");
    return [&options] {
        json::object params = of_router(options);
        params["orphans"] = options.orphans;
        return show(options, "routers.reconcile", router_reconciled_text, params);
    };
}

Run add_adopt(CLI::App& command, Options& options) {
    add_router(command, options);
    command.add_option("--from", options.from, "Prefix of their comments, as in oxi")->required();
    command.add_flag("--apply", options.apply, "Replace their comments (default: show the rows)");
    return [&options] {
        json::object params = of_router(options);
        params["from"] = options.from;
        params["apply"] = options.apply;
        return show(options, "routers.adopt", router_adopted_text, params);
    };
}

Run add_forget(CLI::App& command, Options& options) {
    command.add_option("ADDRESS", options.address, "Address of the rows")->required();
    command.add_option("--router", options.name, "Only this router (default: all)");
    return [&options] {
        json::object params = of_router(options);
        params["address"] = options.address;
        return show(options, "routers.forget", router_forgotten_text, params);
    };
}

Run add_router_trace(CLI::App& command, Options& options) {
    add_router(command, options, true);
    command.add_flag("--follow", options.follow, "Continue with new commands");
    return [&options] {
        return options.follow
                   ? follow(options, of_router(options))
                   : show(options, "routers.trace", router_trace_text, of_router(options));
    };
}

Run add_probe(CLI::App& command, Options& options) {
    add_router(command, options, true);
    command.add_option("-o", options.output, "Write the dialogue to this file");
    return [&options] { return run_probe(options, of_router(options)); };
}

constexpr Command kRouterCommands[] = {
    {"status", "Show the state of each router (default)", add_router_query<kStatus, routers_text>},
    {"diff", "Show rows that are not on the router yet, and orphaned rows",
     add_router_query<kDiff, router_differences_text>},
    {"reconcile", "Read the rows of the router again and repair them", add_reconcile},
    {"shared", "Show addresses that names outside the list also use",
     add_router_query<kShared, router_shared_text>},
    {"lists", "Show the address lists and DNS servers that are followed",
     add_router_query<kLists, router_lists_text>},
    {"adopt", "Take over rows that ForgeDNS, OxiDNS or another instance wrote", add_adopt},
    {"forget", "Remove the rows of an address from routers", add_forget},
    {"pause", "Stop writes to the router until `resume`",
     add_router_query<kPause, router_paused_text>},
    {"resume", "Resume writes to the router", add_router_query<kResume, router_paused_text>},
    {"trace", "Show the last API commands sent to the router, with its replies", add_router_trace},
    {"errors", "Show the last errors of the router",
     add_router_query<kErrors, router_errors_text, true>},
    {"probe", "Probe the RouterOS version of the router and show the dialogue", add_probe}};

}  // namespace

Run add_routers(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kRouterCommands)] {
        return command.get_subcommands().empty()
                   ? show(options, "routers", routers_text, of_router(options))
                   : below();
    };
}

Run add_bypass(CLI::App& command, Options& options) {
    command.add_option("WHAT", options.verb, "on or off (default: show the state)")
        ->check(CLI::IsMember({"on", "off"}));
    return [&options] {
        json::object params;
        if (!options.verb.empty()) params["on"] = options.verb == "on";
        return show(options, "bypass", bypass_text, params);
    };
}

}  // namespace steerctl
