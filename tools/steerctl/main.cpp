// steerctl: shows and controls a running steerdnsd, and imports configurations of other programs. Exit codes:
// matchers/exit_codes.h.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "commands.h"
#include "matchers/version.h"
#include "remote_client.h"

namespace json = boost::json;
namespace steerctl {
namespace {

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

constexpr Command kCommands[] = {
    {"status", "Show readiness, ports, workers, cache, routers and upstreams", add_status},
    {"counters", "Show verdicts and counters since the start", add_counters},
    {"limits", "Show the limits on clients and domains, and who is above one", add_limits},
    {"bans", "Show the source prefixes that are banned, or end a ban", add_bans},
    {"reload", "Reload the configuration and its files", add_reload},
    {"lists", "Show the rules of each list, and the state of lists from URLs", add_lists},
    {"cache", "Show, clear, save and restore the caches", add_cache},
    {"adlist", "Show ad lists with their names and blocked queries, or pause them", add_adlist},
    {"block", "Block a name for everyone, a network or a device", add_block},
    {"allow", "Let a name pass that a list blocks", add_allow},
    {"unblock", "Remove the rules of block, allow or pause", add_unblock},
    {"pause", "Stop blocking for a while, of all lists, a list or a device", add_pause},
    {"blocking", "Show the rules of block, allow and pause", add_blocking},
    {"zones", "Show the zones by transfer, or transfer one now", add_zones},
    {"recursion", "Show the processes that resolve from the root, or remove a name", add_recursion},
    {"leases", "Show the names of hosts with a DHCP lease", add_leases},
    {"clients", "Show the known clients with their names, or give one a name", add_client_list},
    {"reverse", "Show the name for which an address was last answered", add_reverse},
    {"why", "Show the rules that match a name, and what they do", add_why},
    {"explain", "Ask a query and show its whole way", add_explain},
    {"trace", "Show the ways of real queries as they come", add_trace},
    {"hits", "Count queries for a while: top names, clients, types and rules", add_hits},
    {"rules", "Show or change the rules of a dynamic_domain_set", add_rules},
    {"events", "Show the last events: reloads, routers, lists, upstreams, changes", add_events},
    {"static", "Show, add and remove records of a static plugin", add_static},
    {"history", "Show recorded queries, the newest first", add_history},
    {"recorder", "Show each query_recorder, its files and receivers", add_recorder},
    {"support", "Show the last 15 minutes of one client on one sheet, for a hotline", add_support},
    {"configuration", "Show, check and change the configuration of the running daemon",
     add_configuration},
    {"managed", "Show, change and undo the layer over the configuration that forms write",
     add_managed},
    {"replay",
     "List queries of a capture file that another configuration would answer in another way",
     add_replay},
    {"routers", "Show and control the routers", add_routers},
    {"bypass", "Stop all router writes; DNS keeps working", add_bypass},
    {"top", "Show rates, upstreams, routers, names and clients live", add_top},
    {"capture", "Write the frames that workers receive and send, as pcapng", add_capture},
    {"page", "Show where the page is, and a link that signs in once", add_page},
    {"fleet", "Show the boxes of the fleet, and who writes each router", add_fleet},
    {"drain", "Make /readyz fail, so that load balancers send no new clients", add_drain},
    {"announce", "Have BIRD announce service addresses while the daemon is ready", add_announce,
     true},
    {"import", "Convert the configuration of another program; notes name what was not converted",
     add_import, true},
    {"setup", "Show what this machine needs for the configuration, with commands", add_setup, true},
    {"doctor", "Show problems on the routers of the configuration, with commands", add_doctor,
     true},
    {"version", "Show the versions of steerctl and steerdnsd", add_version},
    {"methods", "Show the methods of the control socket", add_methods},
    {"completion", "Print the completion script of a shell", add_completion, true}};

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
    if (const Command* const given = given_command(app, kCommands); given->is_local)
        return std::string(given->name) + " works on this machine only; run it without --url";
    options.socket = url;
    set_remote(std::move(remote));
    return {};
}

// Of all commands.
struct ProgramOptions {
    std::string url, colors = "auto";
    Remote remote;
    bool is_wide = false;
};

void add_program_options(CLI::App& app, Options& options, ProgramOptions& program) {
    app.name("steerctl");
    app.add_option("--socket", options.socket,
                   "Control socket of the daemon (default: " + options.socket + ")")
        ->option_text("PATH")
        ->type_name("FILE")
        ->take_last();
    app.add_option("--url", program.url,
                   "Ask over HTTPS: https://HOST:PORT of `http` in the daemon's configuration")
        ->option_text("URL")
        ->take_last();
    const auto add_file = [&app](const char* name, std::string& file, const char* help) {
        app.add_option(name, file, help)->option_text("FILE")->take_last();
    };
    add_file("--token-file", program.remote.token_file, "File with the token for --url");
    add_file("--ca", program.remote.ca,
             "PEM file with the CA of the certificate at --url (default: the system's)");
    add_file("--cert", program.remote.cert, "PEM file with a client certificate for --url");
    add_file("--key", program.remote.key, "PEM file with the key of --cert");
    app.add_flag("--json", options.as_json, "Print the answer and errors as JSON on one line");
    app.add_option("--color", program.colors, "Use colours: auto, always or never (default: auto)")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->take_last();
    app.add_flag("--wide", program.is_wide, "Do not fit tables to the width of the terminal");
    app.set_version_flag("-V,--version", steer::with_version("steerctl"),
                         "Print the version of steerctl and exit");
    app.set_help_flag("-h,--help", "Print help and exit");
    app.require_subcommand(0, 1);
    app.fallthrough();  // the options above may stand behind the command too
}

// After an error of the command line, or --help.
int end_parsing(const CLI::App& app, const CLI::ParseError& e) {
    const auto code = static_cast<CLI::ExitCodes>(e.get_exit_code());
    const bool may_be =
        code == CLI::ExitCodes::RequiredError || code == CLI::ExitCodes::ExtrasError;
    const std::string what = may_be ? no_command(app) : "";
    if (!what.empty()) return misused(what);
    if (code == CLI::ExitCodes::Success || e.get_exit_code() == 0) return app.exit(e);
    return misused(std::string(e.what()) + "; see --help");
}

int run(int argc, char** argv) {
    Options options;
    ProgramOptions program;
    // An error of the command line is written before its options are known.
    const auto asks_json = [&] {
        return std::any_of(argv + 1, argv + argc,
                           [](const char* word) { return std::string_view(word) == "--json"; });
    };
    set_screen(detect_screen(ColorChoice::automatic, argc > 1 && asks_json(), false));
    CLI::App app{
        "Shows and controls a running steerdnsd, and converts configurations of other programs."};
    add_program_options(app, options, program);
    const Run run_command = add_commands(app, options, kCommands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return end_parsing(app, e);
    }
    set_screen(detect_screen(program.colors == "always"  ? ColorChoice::always
                             : program.colors == "never" ? ColorChoice::never
                                                         : ColorChoice::automatic,
                             options.as_json, program.is_wide));
    if (app.get_subcommands().empty())
        return misused("a command is missing; write one, as in 'steerctl status', or see --help");
    if (auto wrong = use_remote(app, program.url, std::move(program.remote), options);
        !wrong.empty())
        return misused(wrong);
    return run_command();
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
