// steerctl: shows and controls a running steerdnsd, and imports configurations of other programs. Exit codes:
// matchers/exit_codes.h.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "client.h"
#include "completion.h"
#include "matchers/exit_codes.h"
#include "matchers/safe_text.h"
#include "matchers/version.h"
#include "report.h"
#include "setup.h"
#include "tools/import/command.h"

namespace json = boost::json;
namespace {

struct Options {
    std::string socket = "/run/steerdns/control.sock";
    bool as_json = false;
    bool all = false;
    bool markdown = false;                          // of `methods`
    bool any_size = false;                          // of `reload`, `lists fetch`
    std::string name, suffix, tag, instance, file;  // of `cache`
    unsigned seconds = 10, top = 20;                // of `hits`
    std::string verb;                               // of `rules`
    std::vector<std::string> rules;
    bool orphans = false, follow = false;  // of `routers`
    bool with_rows = false;                // of `cache flush`
    std::string address;                   // of `routers forget`
    std::string from;                      // of `routers adopt`
    bool apply = false;
    std::string output;  // of `routers probe`
};

// A terminal gets safe text only, whatever the daemon repeats of other machines.
void print(std::string_view text) {
    for (std::size_t end = text.find('\n'); !text.empty(); end = text.find('\n')) {
        std::fputs(steer::safe_text(text.substr(0, end), std::string::npos).c_str(), stdout);
        if (end == std::string_view::npos) return;
        std::fputc('\n', stdout);
        text.remove_prefix(end + 1);
    }
}

std::string json_text(const json::value& value) {
    return steer::safe_json(json::serialize(value)) + "\n";
}

int fail(const std::string& sentence) {
    std::fprintf(stderr, "steerctl: %s\n",
                 steer::safe_text(sentence, steer::kSafeLineBytes).c_str());
    return steer::kExitFailed;
}

int misused(const std::string& sentence) {
    fail(sentence);
    return steer::kExitRejected;
}

template <class Text>
int show(const Options& options, const char* method, Text text_of,
         const json::value& params = nullptr, std::chrono::seconds patience = steerctl::kPatience) {
    const steerctl::Reply reply = steerctl::ask(options.socket, method, params, patience);
    if (!reply.error.empty()) return fail(reply.error);
    print(options.as_json ? json_text(reply.result) : text_of(reply.result));
    const std::string undone = steerctl::not_done(method, reply.result);
    return undone.empty() ? 0 : fail(undone);
}

// Our own version, and the daemon's.
int show_version(const Options& options) {
    json::object versions{{"steerctl", steer::kVersion}, {"steerdnsd", nullptr}};
    const steerctl::Reply reply = steerctl::ask(options.socket, "version");
    if (const auto* const answer = reply.result.if_object()) {
        if (const auto* const version = answer->if_contains("version")) {
            versions["steerdnsd"] = *version;
        }
    }
    const auto* const daemon = versions["steerdnsd"].if_string();
    if (options.as_json) {
        print(json_text(versions));
    } else {
        print(steer::with_version("steerctl") + "\n");
        if (daemon != nullptr) print("steerdnsd " + std::string(*daemon) + "\n");
    }
    if (daemon != nullptr) return 0;
    return fail(reply.error.empty() ? "steerdnsd did not send its version" : reply.error);
}

// Exit 2 as of steerdnsd's own start: what was read is not good, and what was in force is.
int reload(const Options& options) {
    const steerctl::Reply reply =
        steerctl::ask(options.socket, "reload", json::object{{"any_size", options.any_size}},
                      steerctl::kLongPatience);
    if (!reply.error.empty()) return fail(reply.error);
    print(options.as_json ? json_text(reply.result) : steerctl::reload_text(reply.result));
    return steerctl::is_refused(reply.result) ? steer::kExitRejected : 0;
}

// `rules`, by how much of TAG, what to do and RULE... is there.
int rules(const Options& options) {
    if (options.tag.empty()) return show(options, "rules", steerctl::rule_sets_text);
    json::object params{{"tag", options.tag}};
    if (options.verb.empty() || options.verb == "list") {
        if (options.rules.empty())
            return show(options, "rules.list", steerctl::rules_text, params,
                        steerctl::kLongPatience);
        return misused("rules TAG list: unexpected rules; write 'add' or 'remove' before them");
    }
    if (options.rules.empty())
        return misused("rules TAG " + options.verb +
                       ": a rule is missing; write at least one, as in 'ads.example'");
    json::array given;
    for (const std::string& rule : options.rules)
        given.emplace_back(rule);
    params[options.verb] = std::move(given);
    return show(options, "rules.change", steerctl::rules_changed_text, params,
                steerctl::kLongPatience);
}

// The sub-commands of `static`.
struct StaticCommands {
    StaticCommands(CLI::App& app, Options& options)
        : records(app.add_subcommand("static", "Show, add and remove records of a static plugin")) {
        records->require_subcommand(1);
        records->fallthrough();
        print = records->add_subcommand(
            "print", "Show the records, their numbers and where they are written");
        add = records->add_subcommand("add", "Add a record, which a restart keeps");
        remove = records->add_subcommand("remove", "Remove records that 'add' made");
        print->add_option("PROPERTY=VALUE", options.rules,
                          "Only records with these properties, as in name=nas.lan");
        add->add_option("PROPERTY=VALUE", options.rules,
                        "Properties as in RouterOS's /ip/dns/static: name=nas.lan "
                        "address=192.168.88.10")
            ->required();
        remove
            ->add_option("WHICH", options.rules,
                         "A number, as printed, or properties of the records: name=nas.lan")
            ->required();
        for (CLI::App* const verb : {print, add, remove})
            verb->add_option("--plugin", options.tag,
                             "Tag of the static plugin; required if there are several");
    }

    [[nodiscard]] int run(const Options& options) const {
        json::object params;
        if (!options.tag.empty()) params["plugin"] = options.tag;
        json::array words;
        for (const std::string& word : options.rules) {
            // As typed at a router: "print where name=...", "remove [find name=...]".
            const bool is_filler = word == "where" || word == "find" || word == "[find";
            if (add->parsed() || !is_filler) words.emplace_back(word);
        }
        if (print->parsed()) {
            if (!words.empty()) params["where"] = std::move(words);
            return show(options, "static.print", steerctl::static_records_text, params);
        }
        if (add->parsed()) {
            params["record"] = std::move(words);
            return show(options, "static.add", steerctl::static_changed_text, params,
                        steerctl::kLongPatience);
        }
        const std::string first = options.rules.front();
        const bool is_number =
            first.size() <= 9 && first.find_first_not_of("0123456789") == std::string::npos;
        if (is_number && options.rules.size() > 1)
            return misused("static remove: write one number, or properties");
        if (is_number) {
            params["number"] = std::stoul(first);
        } else {
            params["where"] = std::move(words);
        }
        return show(options, "static.remove", steerctl::static_changed_text, params,
                    steerctl::kLongPatience);
    }

    CLI::App *records, *print = nullptr, *add = nullptr, *remove = nullptr;
};

// The sub-commands of `adlist`.
struct AdlistCommands {
    AdlistCommands(CLI::App& app, Options& options)
        : adlist(app.add_subcommand(
              "adlist", "Show ad lists with their names and blocked queries, or pause them")) {
        adlist->require_subcommand(0, 1);
        adlist->fallthrough();
        pause = adlist->add_subcommand("pause", "Stop blocking for SECONDS");
        pause->add_option("SECONDS", options.seconds, "Length of the pause in seconds")->required();
        resume = adlist->add_subcommand("resume", "End a pause of blocking");
        reload = adlist->add_subcommand("reload", "Fetch the lists that have a URL now");
        for (CLI::App* const verb : {pause, resume})
            verb->add_option("--tag", options.tag, "Only the adlist with this tag");
    }

    [[nodiscard]] int run(const Options& options) const {
        json::object params;
        if (!options.tag.empty()) params["tag"] = options.tag;
        if (pause->parsed()) {
            params["seconds"] = options.seconds;
            return ::show(options, "adlist.pause", steerctl::adlists_text, params);
        }
        if (resume->parsed())
            return ::show(options, "adlist.resume", steerctl::adlists_text, params);
        if (reload->parsed())
            return ::show(options, "lists.fetch", steerctl::lists_text, nullptr,
                          steerctl::kLongPatience);
        return ::show(options, "adlist", steerctl::adlists_text);
    }

    CLI::App *adlist, *pause = nullptr, *resume = nullptr, *reload = nullptr;
};

// The sub-commands of `cache`.
struct CacheCommands {
    CacheCommands(CLI::App& app, Options& options)
        : cache(app.add_subcommand("cache", "Show, clear, save and restore the caches")) {
        cache->require_subcommand(1);
        cache->fallthrough();
        stats = cache->add_subcommand("stats", "Show size and counters of each cache");
        show = cache->add_subcommand("show", "Show the cached answers of a name");
        show->add_option("NAME", options.name, "Domain name")->required();
        print =
            cache->add_subcommand("print", "List the cached answers of types A, AAAA and CNAME");
        print->add_flag("--all", options.all, "List answers of all types");
        print->add_option("--most", options.top, "Maximum number of answers (default: 1000)");
        print->add_option("--suffix", options.suffix, "Only this name and all names below it");
        print->add_option("--instance", options.instance, "Only the cache with this tag");
        flush = cache->add_subcommand(
            "flush", "Remove answers from the caches; exactly one filter is required");
        flush->add_flag("--all", options.all, "Remove all answers of all caches");
        flush->add_option("--name", options.name, "Remove answers of this name");
        flush->add_option("--suffix", options.suffix,
                          "Remove answers of this name and all names below it");
        flush->add_option("--tag", options.tag,
                          "Remove answers of names in the domain_set with this tag");
        flush->add_option("--instance", options.instance,
                          "Remove answers of the cache with this tag");
        flush->add_flag("--with-rows", options.with_rows,
                        "Also remove the rows of their addresses from routers");
        dump = cache->add_subcommand("dump", "Write the answers of a cache to a file");
        dump->add_option("FILE", options.file, "File to write")->required()->type_name("FILE");
        dump->add_option("--instance", options.instance,
                         "Tag of the cache; required if there are several");
        restore = cache->add_subcommand("restore", "Add the answers of a dump to a cache");
        restore->add_option("FILE", options.file, "Dump to read")->required()->type_name("FILE");
        restore->add_option("--instance", options.instance,
                            "Tag of the cache; required if there are several");
    }

    [[nodiscard]] int run(const Options& options) const {
        json::object params;
        const auto put = [&params](const char* key, const std::string& text) {
            if (!text.empty()) params[key] = text;
        };
        if (stats->parsed()) return ::show(options, "cache.stats", steerctl::cache_stats_text);
        put("name", options.name);
        put("suffix", options.suffix);
        put("tag", options.tag);
        put("instance", options.instance);
        if (print->parsed()) {
            params["all"] = options.all;
            if (print->count("--most") != 0) params["most"] = options.top;
            return ::show(options, "cache.print", steerctl::cache_show_text, params,
                          steerctl::kLongPatience);
        }
        if (flush->parsed()) {
            if (options.all) params["all"] = true;
            if (params.size() != 1) {
                return misused(
                    "cache flush: expected exactly one filter; write --name NAME, --suffix NAME, "
                    "--tag "
                    "SET, --instance CACHE or --all");
            }
            if (options.with_rows) params["with_rows"] = true;
        }
        // The daemon has another working folder.
        if (dump->parsed() || restore->parsed())
            put("file", std::filesystem::absolute(options.file).string());
        const char* const method = show->parsed()      ? "cache.show"
                                   : flush->parsed()   ? "cache.flush"
                                   : restore->parsed() ? "cache.restore"
                                                       : "cache.dump";
        return ::show(options, method,
                      show->parsed() ? steerctl::cache_show_text : steerctl::cache_done_text,
                      params, steerctl::kLongPatience);
    }

    CLI::App *cache, *stats = nullptr, *show = nullptr, *print = nullptr, *flush = nullptr,
                     *dump = nullptr, *restore = nullptr;
};

// Sentences as they are said, until it is ended.
int follow(const Options& options, json::object params) {
    std::uint64_t serial = 0;
    params["settled"] = true;
    for (;;) {
        params["since"] = serial;
        const steerctl::Reply reply = steerctl::ask(options.socket, "routers.trace", params);
        if (!reply.error.empty()) return fail(reply.error);
        print(options.as_json ? json_text(reply.result)
                              : steerctl::router_trace_text(reply.result));
        std::fflush(stdout);
        serial = steerctl::last_serial(reply.result, serial);
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
}

// Asks a router what its version does, and waits for it. What was said goes to a file, or behind
// the findings.
int probe(const Options& options, json::object params) {
    constexpr auto kPatience = std::chrono::seconds(60);
    params["start"] = true;
    const auto asked = std::chrono::steady_clock::now();
    steerctl::Reply reply;
    steerctl::ProbeProgress progress;
    for (;;) {
        reply = steerctl::ask(options.socket, "routers.probe", params);
        if (!reply.error.empty()) return fail(reply.error);
        params.erase("start");
        progress = steerctl::probe_progress(reply.result);
        if (progress.has_ended()) break;
        if (progress.state == "waiting" && std::chrono::steady_clock::now() - asked > kPatience)
            return fail("the router cannot be probed now: it is " + progress.router_state +
                        ", or paused, or answers wait for it; see steerctl routers");
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    print(options.as_json ? json_text(reply.result) : steerctl::router_probe_text(reply.result));
    if (!options.output.empty()) {
        std::ofstream out(options.output, std::ios::binary);
        out << progress.transcript;
        out.close();
        if (!out) return fail("cannot write " + options.output);
    } else if (!options.as_json) {
        print("\n" + progress.transcript);
    }
    return progress.state == "complete" ? 0 : steer::kExitFailed;
}

// The sub-commands of `routers`, and `bypass`.
struct RouterCommands {
    RouterCommands(CLI::App& app, Options& options)
        : routers(app.add_subcommand("routers", "Show and control the routers")),
          bypass(app.add_subcommand("bypass", "Stop all router writes; DNS keeps working")) {
        routers->require_subcommand(0, 1);
        routers->fallthrough();
        const auto add = [&](const char* name, const char* help, bool needs_name = false) {
            auto* const command = routers->add_subcommand(name, help);
            command
                ->add_option(
                    "NAME", options.name,
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
        adopt->add_option("--from", options.from, "Prefix of their comments, as in oxi")
            ->required();
        adopt->add_flag("--apply", options.apply,
                        "Replace their comments (default: show the rows)");
        forget = routers->add_subcommand("forget", "Remove the rows of an address from routers");
        forget->add_option("ADDRESS", options.address, "Address of the rows")->required();
        forget->add_option("--router", options.name, "Only this router (default: all)");
        pause = add("pause", "Stop writes to the router until `resume`");
        resume = add("resume", "Resume writes to the router");
        trace =
            add("trace", "Show the last API commands sent to the router, with its replies", true);
        trace->add_flag("--follow", options.follow, "Continue with new commands");
        errors = add("errors", "Show the last errors of the router", true);
        probe =
            add("probe", "Probe the RouterOS version of the router and show the dialogue", true);
        probe->add_option("-o", options.output, "Write the dialogue to this file");
        bypass->add_option("WHAT", options.verb, "on or off (default: show the state)")
            ->check(CLI::IsMember({"on", "off"}));
    }

    [[nodiscard]] bool parsed() const { return routers->parsed() || bypass->parsed(); }
    [[nodiscard]] int run(const Options& options) const {
        json::object params;
        if (bypass->parsed()) {
            if (!options.verb.empty()) params["on"] = options.verb == "on";
            return ::show(options, "bypass", steerctl::bypass_text, params);
        }
        if (!options.name.empty()) params["name"] = options.name;
        const auto show = [&](const char* method, auto text) {
            return ::show(options, method, text, params);
        };
        if (diff->parsed()) return show("routers.diff", steerctl::router_differences_text);
        if (shared->parsed()) return show("routers.shared", steerctl::router_shared_text);
        if (lists->parsed()) return show("routers.lists", steerctl::router_lists_text);
        if (adopt->parsed()) {
            params["from"] = options.from;
            params["apply"] = options.apply;
            return show("routers.adopt", steerctl::router_adopted_text);
        }
        if (forget->parsed()) {
            params["address"] = options.address;
            return show("routers.forget", steerctl::router_forgotten_text);
        }
        if (pause->parsed()) return show("routers.pause", steerctl::router_paused_text);
        if (resume->parsed()) return show("routers.resume", steerctl::router_paused_text);
        if (errors->parsed()) return show("routers.errors", steerctl::router_errors_text);
        if (probe->parsed()) return ::probe(options, params);
        if (trace->parsed() && options.follow) return follow(options, params);
        if (trace->parsed()) return show("routers.trace", steerctl::router_trace_text);
        if (reconcile->parsed()) {
            params["orphans"] = options.orphans;
            return show("routers.reconcile", steerctl::router_reconciled_text);
        }
        return show("routers", steerctl::routers_text);
    }

    CLI::App *routers, *bypass, *diff = nullptr, *reconcile = nullptr, *pause = nullptr,
                                *shared = nullptr, *resume = nullptr, *trace = nullptr,
                                *errors = nullptr, *probe = nullptr, *forget = nullptr,
                                *adopt = nullptr, *lists = nullptr;
};

// The sub-commands of `import`, which ask no daemon.
struct ImportCommands {
    explicit ImportCommands(CLI::App& app)
        : import(app.add_subcommand(
              "import",
              "Convert the configuration of another program; notes name what was not "
              "converted")) {
        import->require_subcommand(1);
        auto* const routeros =
            add("routeros", "Convert a RouterOS /export, or the configuration of a router");
        auto* const file =
            routeros->add_option("FILE", options.file, "The export, or - for standard input");
        auto* const live =
            routeros
                ->add_option("--live", options.router,
                             "Read from the API of this router (HOST or HOST:PORT) instead of FILE")
                ->excludes(file);
        const auto add_live = [&](const char* name, auto& value, const char* help) {
            routeros->add_option(name, value, help)->needs(live);
        };
        add_live("--user", options.user,
                 "RouterOS user with the policies read and api (default: admin)");
        add_live("--password-file", options.password_file,
                 "File whose first line is the password (default: STEERDNS_PASSWORD, or a prompt)");
        add_live("--ca", options.ca, "Use TLS; PEM file with CA certificates for the router");
        add_live("--pin", options.pin, "Use TLS; SHA-256 fingerprint of the router's certificate");
        routeros->add_flag("--tls", options.tls, "Use TLS (port 8729)")->needs(live);
        routeros->add_flag("--anonymous", options.anonymous, "Use TLS without a certificate")
            ->needs(live);
        routeros->callback([this] {
            if (options.file.empty() && options.router.empty())
                throw CLI::RequiredError("FILE or --live ROUTER");
        });
        constexpr std::pair<const char*, const char*> kFiles[] = {
            {"corefile", "Convert a Corefile of CoreDNS"},
            {"dnsmasq", "Convert a dnsmasq.conf"},
            {"forgedns", "Convert a config.yaml of ForgeDNS or OxiDNS"},
            {"mosdns", "Convert a config.yaml of mosdns v5"},
        };
        for (const auto& [kind, help] : kFiles)
            add(kind, help)
                ->add_option("FILE", options.file, "The file, or - for standard input")
                ->required();
    }

    CLI::App* add(const char* kind, const char* help) {
        auto* const command = import->add_subcommand(kind, help);
        command->add_option("-o,--output", options.output,
                            "Write to this file (default: standard output)");
        command->add_flag("--force", options.force, "Replace an existing file");
        return command;
    }

    [[nodiscard]] int run() {
        options.kind = import->get_subcommands().front()->get_name();
        return steer::importing::run_import(options);
    }

    CLI::App* import;
    steer::importing::ImportOptions options;
};

// `setup`, which is steerdnsd's work.
struct SetupCommand {
    explicit SetupCommand(CLI::App& app)
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

    [[nodiscard]] int run(const Options& options) const {
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
        return fail(steerctl::become_setup(words));
    }

    CLI::App* setup;
    std::string config;
    bool as_lines = false, applies = false, undoes = false, agrees = false;
};

// `doctor`, which is steerdnsd's work, too.
struct DoctorCommand {
    explicit DoctorCommand(CLI::App& app)
        : doctor(app.add_subcommand(
              "doctor", "Show problems on the routers of the configuration, with commands")) {
        doctor->add_option("ROUTER", router, "Name or host of a router (default: all)");
        doctor->add_option("-c,--config", config,
                           "Configuration (default: /etc/steerdns/steerdns.yaml)");
        auto* const fix =
            doctor->add_flag("--fix", fixes, "Run the commands, each after a question");
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

    [[nodiscard]] int run(const Options& options) const {
        std::vector<std::string> words;
        if (!router.empty()) words.push_back(router);
        if (!config.empty()) words.insert(words.end(), {"--config", config});
        if (fixes) words.emplace_back("--fix");
        if (agrees) words.emplace_back("--yes");
        if (redirects) words.emplace_back("--redirect");
        if (options.as_json) words.emplace_back("--json");
        for (const auto& [name, value] : given)
            if (!value.empty()) words.insert(words.end(), {name, value});
        if (watch->count() > 0) words.emplace_back("--watch");
        if (!seconds.empty()) words.push_back(seconds);
        return fail(steerctl::become_doctor(words));
    }

    CLI::App* doctor;
    CLI::Option* watch = nullptr;
    std::string router, config, seconds;
    std::map<std::string, std::string> given;
    bool fixes = false, agrees = false, redirects = false;
};

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

int run(int argc, char** argv) {
    Options options;
    CLI::App app{
        "Shows and controls a running steerdnsd, and converts configurations of other programs."};
    app.name("steerctl");
    app.add_option("--socket", options.socket,
                   "Control socket of the daemon (default: " + options.socket + ")")
        ->option_text("PATH")
        ->type_name("FILE");
    app.add_flag("--json", options.as_json, "Print the answer as JSON on one line");
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
        app.add_subcommand("why", "Show the rules that match a name, with file and line");
    why->add_option("NAME", options.name, "Domain name")->required();
    auto* const hits = app.add_subcommand(
        "hits", "Count queries for a while: top names, clients, types and rules");
    hits->add_option("--seconds", options.seconds, "Duration in seconds")
        ->check(CLI::Range(1, 300))
        ->capture_default_str();
    hits->add_option("--top", options.top, "Number of names, clients, types and rules")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    auto* const rules_command =
        app.add_subcommand("rules", "Show or change the rules of a dynamic_domain_set");
    rules_command->add_option("TAG", options.tag,
                              "Tag of the dynamic_domain_set (default: show all sets)");
    rules_command->add_option("WHAT", options.verb, "list (default), add or remove")
        ->check(CLI::IsMember({"list", "add", "remove"}));
    rules_command->add_option("RULE", options.rules,
                              "Rules: domain:NAME, full:NAME, keyword:TEXT or regexp:PATTERN");
    const StaticCommands static_commands(app, options);
    const RouterCommands router_commands(app, options);
    auto* const drain = app.add_subcommand(
        "drain", "Make /readyz fail, so that load balancers send no new clients");
    drain->add_option("WHAT", options.verb, "on or off (default: show the state)")
        ->check(CLI::IsMember({"on", "off"}));
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
    if (app.get_subcommands().empty())
        return misused("a command is missing; write one, as in 'steerctl status', or see --help");
    if (setup_command.setup->parsed()) return setup_command.run(options);
    if (doctor_command.doctor->parsed()) return doctor_command.run(options);
    if (import_commands.import->parsed()) return import_commands.run();
    if (completion->parsed()) {
        print(shell == "bash" ? steerctl::bash_completion(app) : steerctl::zsh_completion(app));
        return 0;
    }
    if (status->parsed()) return show(options, "status", steerctl::status_text);
    if (reload_command->parsed()) return reload(options);
    if (fetch->parsed())
        return show(options, "lists.fetch", steerctl::lists_text,
                    json::object{{"any_size", options.any_size}}, steerctl::kLongPatience);
    if (lists->parsed()) return show(options, "lists", steerctl::lists_text);
    if (version->parsed()) return show_version(options);
    if (methods->parsed())
        return show(options, "methods",
                    options.markdown ? steerctl::methods_page : steerctl::methods_text);
    if (drain->parsed()) {
        return show(
            options, "drain", steerctl::drain_text,
            options.verb.empty() ? json::value() : json::object{{"on", options.verb == "on"}});
    }
    if (cache.cache->parsed()) return cache.run(options);
    if (ad_lists.adlist->parsed()) return ad_lists.run(options);
    if (leases->parsed())
        return show(options, "leases", steerctl::leases_text,
                    options.tag.empty() ? json::value() : json::object{{"tag", options.tag}});
    if (reverse->parsed())
        return show(options, "reverse", steerctl::reverse_text,
                    json::object{{"address", options.name}});
    if (rules_command->parsed()) return rules(options);
    if (static_commands.records->parsed()) return static_commands.run(options);
    if (router_commands.parsed()) return router_commands.run(options);
    if (why->parsed())
        return show(options, "why", steerctl::why_text, json::object{{"name", options.name}},
                    steerctl::kLongPatience);
    if (hits->parsed())
        return show(options, "hits", steerctl::hits_text,
                    json::object{{"seconds", options.seconds}, {"top", options.top}},
                    steerctl::kLongPatience + std::chrono::seconds(options.seconds));
    return show(options, "counters", [&options](const json::value& value) {
        return steerctl::counters_text(value, options.all);
    });
}

}  // namespace

int main(int argc, char** argv) {
    const int code = run(argc, argv);
    const bool was_good = std::ferror(stdout) == 0;
    if (std::fflush(stdout) == 0 && was_good) return code;
    return fail(std::string("cannot write to standard output: ") + std::strerror(errno));
}
