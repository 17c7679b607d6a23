// Commands about the daemon itself: its state, its versions, and orders to it.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "commands.h"
#include "matchers/version.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Our own version, and the daemon's.
int show_version(const Options& options) {
    json::object versions{{"steerctl", steer::kVersion}, {"steerdnsd", nullptr}};
    const Reply reply = ask(options.socket, "version");
    if (const auto* const answer = reply.result.if_object()) {
        if (const auto* const version = answer->if_contains("version")) {
            versions["steerdnsd"] = *version;
        }
    }
    const auto* const daemon = versions["steerdnsd"].if_string();
    if (options.as_json) {
        print_json(versions);
    } else {
        print(steer::with_version("steerctl") + "\n");
        if (daemon != nullptr) print("steerdnsd " + std::string(*daemon) + "\n");
    }
    if (daemon != nullptr) return 0;
    if (!reply.error.empty()) return fail(reply);
    return fail(steer::ErrorCode::bad_answer, "steerdnsd did not send its version; see its log");
}

// Exit 2 as of steerdnsd's own start: what was read is not good, and what was in force is.
int reload(const Options& options) {
    const Reply reply =
        ask(options.socket, "reload", json::object{{"any_size", options.any_size}}, kLongPatience);
    if (!reply.error.empty()) return fail(reply);
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(reload_text(reply.result));
    }
    if (!is_refused(reply.result)) return 0;
    // As text, the errors above say it.
    constexpr auto kCode = steer::ErrorCode::invalid_configuration;
    return options.as_json ? fail(kCode, "the new configuration is invalid; correct `errors`")
                           : row_of(kCode).code;
}

// `fleet upgrade-check`: exit 1 with the obstacles.
int check_upgrade(const Options& options) {
    const Reply reply = ask(options.socket, "fleet");
    if (!reply.error.empty()) return fail(reply);
    const UpgradeCheck check = upgrade_check(reply.result);
    if (options.as_json)
        print_json(json::object{{"good", check.obstacles.empty()}, {"obstacles", check.obstacles}});
    else if (check.obstacles.empty())
        print(check.sentence + "\n");
    if (check.obstacles.empty()) return 0;
    return fail(steer::ErrorCode::incomplete,
                "this box must stay in service now: " + check.obstacles);
}

Run add_upgrade_check(CLI::App& /*command*/, Options& options) {
    return [&options] { return check_upgrade(options); };
}

constexpr Command kFleetCommands[] = {
    {"upgrade-check", "Check whether this box may be taken out of service now", add_upgrade_check}};

Run add_ban_removal(CLI::App& command, Options& options) {
    const auto prefix = std::make_shared<std::string>();
    command.add_option("PREFIX", *prefix, "The banned prefix, as 192.0.2.0/24")->required();
    return [&options, prefix] {
        return show(options, "bans.remove", ban_removed_text, json::object{{"prefix", *prefix}});
    };
}

constexpr Command kBanCommands[] = {
    {"remove", "End a ban; the prefix is not banned again for ten minutes", add_ban_removal}};

}  // namespace

Run add_status(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "status", status_text); };
}

Run add_counters(CLI::App& command, Options& options) {
    command.add_flag("--all", options.all, "Also show counters that are 0");
    return [&options] {
        return show(options, "counters", [&options](const json::value& value) {
            return counters_text(value, options.all);
        });
    };
}

Run add_reload(CLI::App& command, Options& options) {
    command.add_flag("--any-size", options.any_size, kAnySizeHelp);
    return [&options] { return reload(options); };
}

Run add_fleet(CLI::App& command, Options& options) {
    return [&command, &options, below = add_commands(command, options, kFleetCommands)] {
        return command.get_subcommands().empty() ? show(options, "fleet", fleet_text) : below();
    };
}

Run add_limits(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "limits", limits_text); };
}

Run add_bans(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kBanCommands)] {
        return command.get_subcommands().empty() ? show(options, "bans", bans_text) : below();
    };
}

Run add_drain(CLI::App& command, Options& options) {
    command.add_option("WHAT", options.verb, "on or off (default: show the state)")
        ->check(CLI::IsMember({"on", "off"}));
    return [&options] {
        return show(
            options, "drain", drain_text,
            options.verb.empty() ? json::value() : json::object{{"on", options.verb == "on"}});
    };
}

Run add_version(CLI::App& /*command*/, Options& options) {
    return [&options] { return show_version(options); };
}

Run add_methods(CLI::App& command, Options& options) {
    command.add_flag("--markdown", options.markdown, "Print them as a page of documentation");
    return [&options] {
        return show(options, "methods", options.markdown ? methods_page : methods_text);
    };
}

}  // namespace steerctl
