// steerdnsd: the command line.
//
// Exit codes: matchers/exit_codes.h.
#include <openssl/crypto.h>
#include <pwd.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <new>
#include <set>
#include <string_view>

#include "control/api/log/log.h"
#include "control/config/advice/why.h"
#include "control/config/load.h"
#include "control/config/reference.h"
#include "control/config/start_settings.h"
#include "control/daemon.h"
#include "control/host/process/child_program.h"
#include "control/host/process/command_line.h"
#include "control/host/process/files_as.h"
#include "control/host/process/last_words.h"
#include "control/host/process/rights.h"
#include "control/host/process/starter.h"
#include "control/observe/lists/dry_run.h"
#include "control/operator/doctor/command.h"
#include "control/operator/init/init.h"
#include "control/operator/machine/command.h"
#include "control/operator/machine/connection_advice.h"
#include "control/operator/setup/bird_config.h"
#include "control/operator/setup/routeros_setup.h"
#include "control/program/build/build.h"
#include "control/program/build/image_folder.h"
#include "control/program/build/limit_rows.h"
#include "control/program/build/pattern_process.h"
#include "control/program/engine/engine_process.h"
#include "control/program/engine/plans.h"
#include "control/program/reload/certificates.h"
#include "control/program/reload/judge.h"
#include "control/program/reload/managed_start.h"
#include "control/program/reload/numa_plan.h"
#include "control/program/reload/start_traces.h"
#include "control/program/reload/surroundings.h"
#include "control/reference_pages.h"
#include "control/runtime/ports/port_survey.h"
#include "control/served_version.h"
#include "control/sinks/set_process/program.h"
#include "control/streams/quic/program.h"
#include "matchers/exit_codes.h"
#include "matchers/pattern/compile.h"
#include "matchers/quote.h"
#include "matchers/version.h"

namespace {

struct Arguments {
    std::string config = steer::config::kDefaultFile;
    std::string directory, control_socket, user, explained, why, checked, routeros_setup,
        bird_config, failover, reference_page, reference_form;
    bool dump_program = false, ports = false, dry_run = false, routeros_6 = false,
         no_managed = false;
    std::string init_file;
    steer::init::InitOptions init;
};

bool is_start = false;  // of the appliance: messages go to the log

void print(const std::vector<steer::Error>& sentences, const char* kind) {
    for (const auto& s : sentences)
        std::fprintf(stderr, "%s: %s\n", kind, s.sentence().c_str());
}

// A hint after a downgrade: the configuration has names that this version does not know. Empty:
// none.
std::string about_version(const steer::config::LoadOutcome& loaded) {
    if (!loaded.has_unknown_names) return {};
    const std::string served = steer::served_version();
    if (!steer::is_newer_version(served, steer::kVersion)) return {};
    return "this is " + steer::with_version("steerdnsd") + ", and " + served +
           " served last: its configuration can have names that this version does not know; "
           "correct or remove them, or install that version again";
}

// Output of a start: each line has time and level, from the first one on.
void log_all(const std::vector<steer::Error>& warnings, const std::vector<steer::Error>& errors) {
    for (const auto& w : warnings)
        spdlog::warn("{}", w.sentence());
    for (const auto& e : errors)
        steer::ops::log_refusal(e.sentence());
}

// Reports everything that can be known of the configuration without touching anything.
int check(const steer::config::Settings& settings, const std::string& user, bool dump) {
    steer::build::Registry registry;
    const steer::FilesAs files(user, steer::sources_of(settings));
    steer::build::ImageFolder images(settings.control.images);
    images.only_read();
    const auto built = steer::judge(settings, registry, images.is_own() ? &images : nullptr);
    print(steer::advice(settings), "warning");
    print(steer::numa_advice(settings), "warning");
    print(steer::machine::connection_advice(settings, built.channels), "warning");
    print(built.warnings, "warning");
    print(built.errors, "error");
    if (!built.ok()) return steer::kExitRejected;
    if (dump) {
        steer::build::dump_program(*built.snapshot, std::cout);
    } else {
        if (const auto& limits = built.snapshot->limits) {
            for (const steer::LimitRow& row : limits->rows)
                std::printf("limit %s: %s\n", row.name.c_str(), steer::build::text_of(row).c_str());
        }
        if (const std::string page = steer::page_line(settings); !page.empty())
            std::printf("%s\n", page.c_str());
        std::printf("%s is good\n", settings.file.c_str());
        if (settings.managed.is_used)
            std::printf("%s is laid over it: %zu values\n", settings.managed.file.c_str(),
                        settings.managed.overrides.size());
    }
    return steer::kExitDone;
}

int dry_run(const steer::config::Settings& settings, const std::string& user) {
    constexpr std::chrono::seconds kPatience{10};
    steer::build::Registry registry;
    const steer::FilesAs files(user, steer::sources_of(settings));
    const auto built = steer::judge(settings, registry);
    print(built.errors, "error");
    if (!built.ok()) return steer::kExitRejected;
    return steer::dry_run(built.routers, kPatience, std::cout) ? steer::kExitDone
                                                               : steer::kExitFailed;
}

// Prints one rule per line, in the form of compiler messages.
int why(const steer::config::Settings& settings, const std::string& name) {
    const auto rules = steer::config::rules_for(settings, name);
    if (!rules) {
        print({rules.error()}, "error");
        return steer::kExitRejected;
    }
    for (const auto& r : *rules) {
        std::printf("%s:%d: %s: %s %s\n", r.file.c_str(), r.line, r.rule.c_str(),
                    std::string(steer::config::text_of(r.says)).c_str(),
                    steer::config::name_of(settings, r.plugin).c_str());
    }
    if (rules->empty()) std::printf("no rule holds for %s\n", name.c_str());
    return steer::kExitDone;
}

int routeros_setup(const steer::config::Settings& settings, bool is_6,
                   const std::string& failover_text) {
    using steer::setup::RouterOs;
    steer::setup::Failover failover;
    if (!failover_text.empty()) {
        const auto parsed = steer::setup::Failover::parse(failover_text);
        if (!parsed)
            return steer::refuse("--failover " + failover_text +
                                 ": write netwatch, or the address of a second DNS server");
        failover = *parsed;
    }
    const auto text =
        steer::setup::routeros_setup(settings, {}, is_6 ? RouterOs::v6 : RouterOs::v7, failover);
    if (!text) {
        print({text.error()}, "error");
        return steer::kExitRejected;
    }
    std::fputs(text->c_str(), stdout);
    return steer::kExitDone;
}

int bird_config(const steer::config::Settings& settings) {
    const auto text = steer::setup::bird_config(settings);
    if (!text) {
        print({text.error()}, "error");
        return steer::kExitRejected;
    }
    std::fputs(text->c_str(), stdout);
    return steer::kExitDone;
}

// For a start: what another version took, and this one refuses, does not end it.
steer::ConfigSource for_start(steer::ConfigSource source) {
    source.options.leaves_out_lines = true;
    return source;
}

void leave_out_extra(steer::config::LoadOutcome& loaded) {
    auto left_out = steer::recursion::leave_out_extra(loaded.settings);
    std::move(left_out.begin(), left_out.end(), std::back_inserter(loaded.warnings));
}

steer::config::LoadOutcome load_for_start(const steer::ConfigSource& source,
                                          std::set<std::string>& tried) {
    auto loaded = for_start(source).load_with_lists(
        tried, {}, [](const std::string& s) { spdlog::info("{}", s); });
    if (loaded.ok()) leave_out_extra(loaded);
    return loaded;
}

// Behind everything else that logs.
struct LogEnd {
    LogEnd() = default;
    ~LogEnd() { steer::ops::end_log(); }
    LogEnd(const LogEnd&) = delete;
    LogEnd& operator=(const LogEnd&) = delete;
};

int serve(steer::config::LoadOutcome loaded, steer::ConfigSource source, bool will_fetch) {
    (void)::signal(SIGPIPE, SIG_IGN);  // a write to a closed socket gets EPIPE
    steer::keep_stderr_from_waiting();
    const LogEnd log_end;
    auto log = loaded.settings.log;
    if (!loaded.ok() && !will_fetch) log.file.clear();  // a refused start leaves no file
    steer::give_own_folders(source.files_user(loaded.settings), loaded.settings.control.socket);
    {
        const steer::FilesAs files(source.user);
        if (auto started = steer::ops::start_log(log); !started) {
            log_all({}, {started.error()});
            return steer::kExitFailed;
        }
    }
    const auto traces = [&] {
        const steer::FilesAs files(source.user);
        return steer::StartTraces(loaded.settings);
    }();
    const auto remove_traces = [&traces, user = source.files_user(loaded.settings)] {
        const steer::FilesAs files(user);
        traces.remove();
    };
    std::set<std::string> tried;
    if (will_fetch) {
        loaded = load_for_start(source, tried);
    } else if (loaded.ok()) {
        leave_out_extra(loaded);
    }
    const bool was_good = loaded.ok();
    loaded = steer::start_with_layer(
        source, std::move(loaded),
        [&tried](const steer::ConfigSource& other) { return load_for_start(other, tried); });
    if (!was_good && loaded.ok()) {
        const steer::FilesAs files(source.user);
        if (auto done =
                steer::ops::set_log_file(loaded.settings.log.file, loaded.settings.log.rotation);
            !done)
            spdlog::warn("{}", done.error().sentence());
    }
    if (const auto& layer = loaded.settings.managed; !layer.error.empty())
        spdlog::error("{}", layer.report());
    log_all(loaded.warnings, loaded.errors);
    if (const auto note = about_version(loaded); !note.empty()) spdlog::info("{}", note);
    if (!loaded.ok()) {
        remove_traces();
        return steer::kExitRejected;
    }
    {
        const steer::FilesAs files(source.user);
        steer::keep_served_version(steer::kVersion);
    }
    steer::Daemon daemon(std::move(loaded.settings), std::move(source), std::move(tried));
    const auto started = daemon.start();
    if (started) daemon.run();
    int code = steer::kExitDone;
    if (!started && !daemon.has_ended()) {
        const bool is_configuration = !daemon.configuration_errors().empty();
        log_all({},
                is_configuration ? daemon.configuration_errors() : std::vector{started.error()});
        code = is_configuration ? steer::kExitRejected : steer::kExitFailed;
        remove_traces();
    }
    if (!daemon.stop()) {
        // Background work still uses the daemon: no destructor may run.
        steer::ops::end_log();
        std::_Exit(code);
    }
    return code;
}

// `--init`, and an option for each of its questions.
CLI::Option* add_init(CLI::App& app, Arguments& arguments) {
    auto* const init =
        app.add_option("--init", arguments.init_file,
                       "Ask nine questions, write a configuration (to FILE, or to the "
                       "file of --config) and a file with RouterOS commands, and exit")
            ->option_text("[FILE]")
            ->expected(0, 1);
    const auto in_group = [init](CLI::Option* option) {
        option->needs(init)->group("With --init");
    };
    in_group(app.add_flag("--yes", arguments.init.defaults, "Use the defaults without asking"));
    in_group(app.add_flag("--force", arguments.init.replace, "Replace existing files"));
    const auto add = [&](std::string_view name, std::string_view expects) {
        in_group(app.add_option_function<std::string>(
                        std::string(name),
                        [&arguments, name](const std::string& text) {
                            arguments.init.given[std::string(name)] = text;
                        },
                        std::string(expects))
                     ->option_text("ANSWER"));
    };
    for (const auto& question : steer::init::questions()) {
        if (!question.option.empty()) add(question.option, question.expects);
        if (question.secret)
            add(steer::init::kPasswordFile,
                "File whose first line is the password (default: a new password)");
    }
    return init;
}

int run(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{
        "Starts the SteerDNS daemon: answers DNS and writes the addresses of answers into the "
        "address lists of RouterOS routers. With one of the options that print, nothing is "
        "started.",
        "steerdnsd"};
    app.footer(
        "Signals: SIGHUP reloads the configuration; SIGTERM and SIGINT stop the daemon. "
        "Manuals: steerdnsd(8), steerctl(8). Settings: docs/reference/configuration.md.");
    app.set_version_flag("-V,--version", steer::with_version("steerdnsd"),
                         "Print the version and exit");
    app.set_help_flag("-h,--help", "Print this help and exit");
    app.add_option("-c,--config", arguments.config,
                   "Read the configuration from this file (default: " + arguments.config + ")")
        ->option_text("FILE");
    app.add_option("-d,--directory", arguments.directory,
                   "Resolve relative paths of the configuration in this folder (default: the "
                   "folder of the file)")
        ->option_text("FOLDER");
    app.add_option("--control-socket", arguments.control_socket,
                   "Use this control socket instead of `control.socket`")
        ->option_text("PATH");
    app.add_option(
           "--user", arguments.user,
           "Become this user after the start, whatever `control.user` says. Files and "
           "folders that the configuration names are then made as this user, and only those "
           "in /var/lib/steerdns and /run/steerdns are given to it")
        ->option_text("NAME");
    app.add_flag("--no-managed", arguments.no_managed,
                 "Leave out the layer over the configuration that forms write "
                 "(`managed` of `control`)");
    auto* check_option =
        app.add_option("--check", arguments.checked,
                       "Report every error of the configuration (or of FILE) and exit with 0 or 2")
            ->option_text("[FILE]")
            ->expected(0, 1);
    app.add_flag("--dump-program", arguments.dump_program, "Print the compiled policy and exit");
    app.add_flag("--dry-run", arguments.dry_run,
                 "Read the routers, print the rows that a start would write, and exit");
    app.add_option("--why", arguments.why,
                   "Print the rules that match NAME, with file and line, and exit")
        ->option_text("NAME");
    auto* setup = app.add_option("--routeros-setup", arguments.routeros_setup,
                                 "Print the RouterOS commands that prepare the routers of the "
                                 "configuration (or of FILE), and the commands that undo them, and "
                                 "exit")
                      ->option_text("[FILE]")
                      ->expected(0, 1);
    app.add_flag("--routeros-6", arguments.routeros_6,
                 "With --routeros-setup: commands of RouterOS 6")
        ->needs(setup);
    app.add_option("--failover", arguments.failover,
                   "With --routeros-setup: also print what keeps DNS while steerdnsd is down: "
                   "netwatch (the router's own DNS), or the address of a second DNS server")
        ->option_text("netwatch|ADDRESS")
        ->needs(setup);
    auto* bird = app.add_option("--bird-config", arguments.bird_config,
                                "Print the configuration of BIRD that announces the bgp_route "
                                "lists of the configuration (or of FILE), and exit")
                     ->option_text("[FILE]")
                     ->expected(0, 1);
    app.add_option(
           "--reference", arguments.reference_page,
           "Print a reference page as Markdown and exit; PAGE: " + steer::reference_page_names())
        ->option_text("PAGE");
    auto* reference =
        app.add_option("--config-reference", arguments.reference_form,
                       "Same as --reference configuration; with `man`: as steerdns.yaml(5)")
            ->option_text("[man]")
            ->expected(0, 1)
            ->check(CLI::IsMember({"man"}));
    app.add_option("--explain-plugin", arguments.explained,
                   "Print the description of a plugin type as Markdown and exit")
        ->option_text("TYPE");
    app.add_flag(
        "--ports", arguments.ports,
        "Print the network interfaces and NICs, and the port that each could be, and exit");
    auto* const init = add_init(app, arguments);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? steer::kExitDone : steer::kExitRejected;
    }
    if (arguments.reference_form == "man") {
        steer::config::write_man_page(std::cout);
        return steer::kExitDone;
    }
    if (reference->count() > 0) arguments.reference_page = "configuration";
    if (!arguments.reference_page.empty()) {
        if (steer::write_reference_page(arguments.reference_page, std::cout))
            return steer::kExitDone;
        print({steer::Error{"there is no reference page " +
                            steer::matchers::quoted(arguments.reference_page) + "; write one of " +
                            steer::reference_page_names()}},
              "error");
        return steer::kExitRejected;
    }
    if (!arguments.explained.empty()) {
        const auto done = steer::config::explain_plugin(arguments.explained, std::cout);
        if (!done) print({done.error()}, "error");
        return done ? steer::kExitDone : steer::kExitRejected;
    }
    if (arguments.ports) {
        steer::write_survey(steer::survey_ports(steer::read_host()), std::cout);
        return steer::kExitDone;
    }
    if (init->count() > 0) {
        arguments.init.file = arguments.init_file.empty() ? arguments.config : arguments.init_file;
        return steer::init::run_init(arguments.init);
    }
    for (const std::string& file :
         {arguments.checked, arguments.routeros_setup, arguments.bird_config}) {
        if (!file.empty()) arguments.config = file;
    }
    const steer::ConfigSource source{arguments.config,
                                     {.base_dir = arguments.directory, .environment = {}},
                                     arguments.control_socket,
                                     arguments.user,
                                     std::make_shared<steer::TextsInForce>(),
                                     !arguments.no_managed};
    if (!arguments.user.empty() && ::getpwnam(arguments.user.c_str()) == nullptr) {
        print({steer::Error{"there is no user " + steer::matchers::quoted(arguments.user) +
                            ": create it, or name another with --user"}},
              "error");
        return steer::kExitRejected;
    }
    is_start = check_option->count() == 0 && !arguments.dump_program && !arguments.dry_run &&
               arguments.why.empty() && setup->count() == 0 && bird->count() == 0;
    const bool judges = check_option->count() > 0 || arguments.dump_program || arguments.dry_run;
    auto loaded = judges ? source.load() : for_start(source).load();
    // With errors, fetches only if a missing download can be their cause.
    const bool will_fetch = is_start && steer::ConfigSource::lacks_files(loaded.settings) &&
                            (loaded.ok() || steer::ConfigSource::lacks_downloads(loaded.settings));
    if (is_start) return serve(std::move(loaded), source, will_fetch);
    print(loaded.warnings, "warning");
    print(loaded.errors, "error");
    if (const auto note = about_version(loaded); !note.empty())
        std::fprintf(stderr, "note: %s\n", note.c_str());
    if (!loaded.ok()) return steer::kExitRejected;
    if (!arguments.why.empty()) return why(loaded.settings, arguments.why);
    if (setup->count() > 0)
        return routeros_setup(loaded.settings, arguments.routeros_6, arguments.failover);
    if (bird->count() > 0) return bird_config(loaded.settings);
    const std::string& user = source.files_user(loaded.settings);
    if (arguments.dry_run) return dry_run(loaded.settings, user);
    return check(loaded.settings, user, arguments.dump_program);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == steer::build::kCompilePatterns)
        return steer::build::run_pattern_process();
    if (argc >= 2 && std::string_view(argv[1]) == steer::machine::kSetupOption)
        return steer::machine::run_setup(argc - 1, argv + 1);
    if (argc >= 2 && std::string_view(argv[1]) == steer::doctor::kDoctorOption)
        return steer::doctor::run_doctor(argc - 1, argv + 1);
    steer::harden_process();
    // Private keys: outside of core files, overwritten when they are freed. A handshake in progress
    // needs 32 to 64 bytes of it for its own key: room for 65,536 of them. (Without memory for it,
    // keys are in the heap.)
    constexpr std::size_t kKeyBytes = 4 << 20, kLeastKeyBytes = 16;
    (void)CRYPTO_secure_malloc_init(kKeyBytes, kLeastKeyBytes);
    // Before anything is read, and before the first thread.
    auto sets = steer::ChildProgram::for_starter(steer::sets::kProgramName);
    sets.gets_net_admin = true;
    static steer::Starter starter({steer::build::PatternProcess::this_program(), std::move(sets),
                                   steer::ChildProgram::for_starter(steer::quic::kProgramName)});
    steer::use_starter(&starter);
    static steer::Starter engines(steer::recursion::programs(), steer::ThreadKind::recursion,
                                  "steerdns-engine");
    steer::recursion::use_engine_starter(&engines);
    static steer::build::PatternProcess patterns(starter);
    patterns.set_progress({[](const std::string& sentence) {
                               if (is_start) spdlog::info("{}", sentence);
                           },
                           [] {
                               using std::chrono::duration_cast;
                               const auto now = std::chrono::steady_clock::now().time_since_epoch();
                               return static_cast<std::uint64_t>(
                                   duration_cast<std::chrono::milliseconds>(now).count());
                           }});
    patterns.set_kept([](const std::string& folder) {
        steer::build::ImageFolder images(folder);
        return steer::matchers::kept_expressions(images);
    });
    steer::matchers::use_pattern_compiler(&patterns);
    try {
        return run(argc, argv);
    } catch (const std::bad_alloc&) {
        if (is_start) {
            log_all({}, {steer::no_memory({})});
        } else {
            print({steer::no_memory({})}, "error");
        }
        return steer::kExitFailed;
    }
}
