// steerctl: shows and controls a running steerdnsd, and imports configurations of other programs. Exit codes:
// matchers/exit_codes.h.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "announce_command.h"
#include "cache_commands.h"
#include "capture_command.h"
#include "command.h"
#include "completion.h"
#include "configuration_commands.h"
#include "explain_commands.h"
#include "history_commands.h"
#include "https_client.h"
#include "import_commands.h"
#include "list_commands.h"
#include "machine_commands.h"
#include "matchers/version.h"
#include "record_commands.h"
#include "replay_commands.h"
#include "router_commands.h"
#include "top.h"

namespace json = boost::json;
namespace steerctl {
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

// `hits`. Suffixes are made here, of as many names as the daemon gives.
int count_hits(const Options& options, bool groups) {
    constexpr unsigned kMostNames = 10'000;
    json::object params{{"seconds", options.seconds}, {"top", groups ? kMostNames : options.top}};
    if (!options.address.empty()) params["client"] = options.address;
    if (!options.name.empty()) params["name"] = options.name;
    Reply reply =
        ask(options.socket, "hits", params, kLongPatience + std::chrono::seconds(options.seconds));
    if (!reply.error.empty()) return fail(reply);
    if (groups) reply.result = group_hits(std::move(reply.result), options.labels, options.top);
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(hits_text(reply.result));
    }
    return 0;
}

// A word where a command is meant, or none, by its place: CLI11 would say that one is missing, or that the word is too much.
// Empty: another error.
std::string no_command(const CLI::App& app) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty())
        at = at->get_subcommands().front();
    const auto words = app.remaining(true);
    const auto option = std::find_if(words.begin(), words.end(), [](const std::string& word) {
        return word.size() > 1 && word.starts_with('-');
    });
    const std::string where = at == &app ? "" : " of '" + at->get_name() + "'";
    if (option != words.end())
        return "there is no option '" + *option + "'" + where + "; --help lists them";
    const auto commands = at->get_subcommands({});
    if (commands.empty()) return {};
    std::string known;
    for (const CLI::App* const command : commands)
        known += (known.empty() ? "" : ", ") + command->get_name();
    if (words.empty())
        return "a command is missing after '" + at->get_name() + "'; write one of " + known;
    return "there is no command '" + words.front() + "'" + where + "; write one of " + known;
}

// The options for another machine. Empty: done; else what is wrong.
std::string use_remote(const CLI::App& app, const std::string& url, Remote remote,
                       Options& options) {
    if (url.empty()) {
        const bool any = !remote.token_file.empty() || !remote.ca.empty() || !remote.cert.empty() ||
                         !remote.key.empty();
        return any ? "--token-file, --ca, --cert and --key are for --url; set it, too" : "";
    }
    if (!is_url(url)) return "--url is " + url + ": expected https://HOST:PORT";
    if (app.count("--socket") != 0) return "--socket and --url are two ways; set one of them";
    for (const char* const here : {"setup", "doctor", "import", "completion", "announce"}) {
        if (app.got_subcommand(here))
            return std::string(here) + " works on this machine only; run it without --url";
    }
    options.socket = url;
    set_remote(std::move(remote));
    return {};
}

int run(int argc, char** argv) {
    Options options;
    // An error of the command line is written before its options are known.
    const auto asks_json = [&] {
        return std::any_of(argv + 1, argv + argc,
                           [](const char* word) { return std::string_view(word) == "--json"; });
    };
    set_screen(detect_screen(ColorChoice::automatic, argc > 1 && asks_json(), false));
    CLI::App app{
        "Shows and controls a running steerdnsd, and converts configurations of other programs."};
    app.name("steerctl");
    app.add_option("--socket", options.socket,
                   "Control socket of the daemon (default: " + options.socket + ")")
        ->option_text("PATH")
        ->type_name("FILE")
        ->take_last();
    std::string url;
    Remote remote;
    app.add_option("--url", url,
                   "Ask over HTTPS: https://HOST:PORT of `http` in the daemon's configuration")
        ->option_text("URL")
        ->take_last();
    app.add_option("--token-file", remote.token_file, "File with the token for --url")
        ->option_text("FILE")
        ->take_last();
    app.add_option("--ca", remote.ca,
                   "PEM file with the CA of the certificate at --url (default: the system's)")
        ->option_text("FILE")
        ->take_last();
    app.add_option("--cert", remote.cert, "PEM file with a client certificate for --url")
        ->option_text("FILE")
        ->take_last();
    app.add_option("--key", remote.key, "PEM file with the key of --cert")
        ->option_text("FILE")
        ->take_last();
    app.add_flag("--json", options.as_json, "Print the answer and errors as JSON on one line");
    std::string colors = "auto";
    app.add_option("--color", colors, "Use colours: auto, always or never (default: auto)")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->take_last();
    bool is_wide = false;
    app.add_flag("--wide", is_wide, "Do not fit tables to the width of the terminal");
    app.set_version_flag("-V,--version", steer::with_version("steerctl"),
                         "Print the version of steerctl and exit");
    app.set_help_flag("-h,--help", "Print help and exit");
    app.require_subcommand(0, 1);
    app.fallthrough();  // the options above may stand behind the command too
    const auto* const status = app.add_subcommand(
        "status", "Show readiness, ports, workers, cache, routers and upstreams");
    auto* const counters =
        app.add_subcommand("counters", "Show verdicts and counters since the start");
    counters->add_flag("--all", options.all, "Also show counters that are 0");
    auto* const reload_command =
        app.add_subcommand("reload", "Reload the configuration and its files");
    constexpr const char* kAnySize = "Accept lists that lost more rules than `max_shrink` allows";
    reload_command->add_flag("--any-size", options.any_size, kAnySize);
    auto* const lists = app.add_subcommand(
        "lists", "Show the rules of each list, and the state of lists from URLs");
    auto* const fetch = lists->add_subcommand("fetch", "Fetch all lists from URLs now and wait");
    fetch->add_flag("--any-size", options.any_size, kAnySize);
    const CacheCommands cache(app, options);
    const AdlistCommands ad_lists(app, options);
    auto* const leases = app.add_subcommand("leases", "Show the names of hosts with a DHCP lease");
    leases->add_option("--tag", options.tag, "Only the dhcp_leases with this tag");
    auto* const reverse =
        app.add_subcommand("reverse", "Show the name for which an address was last answered");
    reverse->add_option("IP", options.name, "IP address")->required();
    auto* const why =
        app.add_subcommand("why", "Show the rules that match a name, and what they do");
    why->add_option("NAME", options.name, "Domain name")->required();
    const ExplainCommands explain_commands(app);
    auto* const hits = app.add_subcommand(
        "hits", "Count queries for a while: top names, clients, types and rules");
    hits->add_option("--seconds", options.seconds, "Duration in seconds")
        ->check(CLI::Range(1, 300))
        ->capture_default_str();
    hits->add_option("--top", options.top, "Number of names, clients, types and rules")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    hits->add_option("--client", options.address, "Only queries of this client or prefix");
    hits->add_option("--name", options.name, "Only queries for this name and names below it");
    auto* const suffix =
        hits->add_option("--suffix", options.labels,
                         "Also group names by registrable domain, or by their last LABELS labels")
            ->option_text("[LABELS]")
            ->expected(0, 1)
            ->default_str("0")
            ->check(CLI::Range(0, 20));
    auto* const rules_command =
        app.add_subcommand("rules", "Show or change the rules of a dynamic_domain_set");
    rules_command->add_option("TAG", options.tag,
                              "Tag of the dynamic_domain_set (default: show all sets)");
    rules_command->add_option("WHAT", options.verb, "list (default), add or remove")
        ->check(CLI::IsMember({"list", "add", "remove"}));
    rules_command->add_option("RULE", options.rules,
                              "Rules: domain:NAME, full:NAME, keyword:TEXT or regexp:PATTERN");
    const EventCommand event_command(app);
    const StaticCommands static_commands(app, options);
    HistoryCommands history(app, options);
    const ConfigurationCommands configuration_commands(app, options);
    const ReplayCommands replay_commands(*configuration_commands.configuration, options);
    const CaptureReplayCommand capture_replay_command(app, options);
    const RouterCommands router_commands(app, options);
    const TopCommand top_command(app);
    const CaptureCommand capture_command(app);
    auto* const fleet_command =
        app.add_subcommand("fleet", "Show the boxes of the fleet, and who writes each router");
    const auto* const upgrade = fleet_command->add_subcommand(
        "upgrade-check", "Check whether this box may be taken out of service now");
    auto* const drain = app.add_subcommand(
        "drain", "Make /readyz fail, so that load balancers send no new clients");
    drain->add_option("WHAT", options.verb, "on or off (default: show the state)")
        ->check(CLI::IsMember({"on", "off"}));
    const AnnounceCommand announce_command(app);
    ImportCommands import_commands(app);
    const SetupCommand setup_command(app);
    const DoctorCommand doctor_command(app);
    const auto* const version =
        app.add_subcommand("version", "Show the versions of steerctl and steerdnsd");
    auto* const methods = app.add_subcommand("methods", "Show the methods of the control socket");
    methods->add_flag("--markdown", options.markdown, "Print them as a page of documentation");
    std::string shell;
    auto* const completion =
        app.add_subcommand("completion", "Print the completion script of a shell");
    completion->add_option("SHELL", shell, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const auto code = static_cast<CLI::ExitCodes>(e.get_exit_code());
        const bool may_be =
            code == CLI::ExitCodes::RequiredError || code == CLI::ExitCodes::ExtrasError;
        const std::string what = may_be ? no_command(app) : "";
        if (!what.empty()) return misused(what);
        if (code == CLI::ExitCodes::Success || e.get_exit_code() == 0) return app.exit(e);
        return misused(std::string(e.what()) + "; see --help");
    }
    set_screen(detect_screen(colors == "always"  ? ColorChoice::always
                             : colors == "never" ? ColorChoice::never
                                                 : ColorChoice::automatic,
                             options.as_json, is_wide));
    if (app.get_subcommands().empty())
        return misused("a command is missing; write one, as in 'steerctl status', or see --help");
    if (auto wrong = use_remote(app, url, std::move(remote), options); !wrong.empty())
        return misused(wrong);
    if (setup_command.setup->parsed()) return setup_command.run(options);
    if (doctor_command.doctor->parsed()) return doctor_command.run(options);
    if (announce_command.parsed()) return announce_command.run(options);
    if (import_commands.import->parsed()) return import_commands.run();
    if (completion->parsed()) {
        print(shell == "bash" ? bash_completion(app) : zsh_completion(app));
        return 0;
    }
    if (status->parsed()) return show(options, "status", status_text);
    if (reload_command->parsed()) return reload(options);
    if (fetch->parsed())
        return show(options, "lists.fetch", lists_text,
                    json::object{{"any_size", options.any_size}}, kLongPatience);
    if (lists->parsed()) return show(options, "lists", lists_text);
    if (version->parsed()) return show_version(options);
    if (methods->parsed())
        return show(options, "methods", options.markdown ? methods_page : methods_text);
    if (upgrade->parsed()) return check_upgrade(options);
    if (fleet_command->parsed()) return show(options, "fleet", fleet_text);
    if (drain->parsed()) {
        return show(
            options, "drain", drain_text,
            options.verb.empty() ? json::value() : json::object{{"on", options.verb == "on"}});
    }
    if (cache.cache->parsed()) return cache.run(options);
    if (ad_lists.adlist->parsed()) return ad_lists.run(options);
    if (leases->parsed())
        return show(options, "leases", leases_text,
                    options.tag.empty() ? json::value() : json::object{{"tag", options.tag}});
    if (reverse->parsed())
        return show(options, "reverse", reverse_text, json::object{{"address", options.name}});
    if (rules_command->parsed()) return run_rules(options);
    if (history.parsed()) return history.run();
    if (event_command.events->parsed()) return event_command.run(options);
    if (static_commands.records->parsed()) return static_commands.run(options);
    if (replay_commands.parsed()) return replay_commands.run();
    if (capture_replay_command.parsed()) return capture_replay_command.run();
    if (configuration_commands.configuration->parsed()) return configuration_commands.run(options);
    if (router_commands.parsed()) return router_commands.run(options);
    if (explain_commands.parsed()) return explain_commands.run(options);
    if (capture_command.parsed()) return capture_command.run(options);
    if (top_command.top->parsed()) return top_command.run(options);
    if (why->parsed())
        return show(options, "why", why_text, json::object{{"name", options.name}}, kLongPatience);
    if (hits->parsed()) return count_hits(options, suffix->count() > 0);
    return show(options, "counters",
                [&options](const json::value& value) { return counters_text(value, options.all); });
}

}  // namespace
}  // namespace steerctl

int main(int argc, char** argv) {
    const int code = steerctl::run(argc, argv);
    const bool was_good = std::ferror(stdout) == 0;
    if (std::fflush(stdout) == 0 && was_good) return code;
    return steerctl::fail(steer::ErrorCode::output,
                          std::string("cannot write to standard output: ") + std::strerror(errno));
}
