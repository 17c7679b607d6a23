// steerdnsd: the command line.
//
// Exit codes: 0 done or ended by a signal, 1 what only the start can see (a port, a CPU, a right), 2 a configuration or
// command line that is wrong.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>
#include <set>
#include <string_view>

#include "control/build/build.h"
#include "control/build/pattern_process.h"
#include "control/config/load.h"
#include "control/config/reference.h"
#include "control/config/why.h"
#include "control/daemon.h"
#include "control/init/init.h"
#include "control/lists/dry_run.h"
#include "control/ops/log.h"
#include "control/ports/port_survey.h"
#include "control/process/rights.h"
#include "control/process/start_traces.h"
#include "control/reload/judge.h"
#include "control/reload/surroundings.h"
#include "control/setup/routeros_setup.h"

namespace {

struct Arguments {
    std::string config = "/etc/steerdns/steerdns.yaml";
    std::string directory, control_socket, explained, why, checked, routeros_setup;
    bool dump_program = false, reference = false, ports = false, dry_run = false;
    std::string init_file;
    steer::init::InitOptions init;
};

bool is_start = false;  // of the appliance: what is said goes to the log

void print(const std::vector<steer::Error>& sentences, const char* kind) {
    for (const auto& s : sentences)
        std::fprintf(stderr, "%s: %s\n", kind, s.sentence().c_str());
}

// What a start says: each line has its time and level, from the first one on.
void log_all(const std::vector<steer::Error>& warnings, const std::vector<steer::Error>& errors) {
    for (const auto& w : warnings)
        spdlog::warn("{}", w.sentence());
    for (const auto& e : errors)
        steer::ops::log_refusal(e.sentence());
}

// Everything that can be known of the configuration without touching anything. 0 or 2.
int check(const steer::config::Settings& settings, bool dump) {
    steer::build::Registry registry;
    const auto built = steer::judge(settings, registry);
    print(steer::advice(settings), "warning");
    print(built.warnings, "warning");
    print(built.errors, "error");
    if (!built.ok()) return 2;
    if (dump) {
        steer::build::dump_program(*built.snapshot, std::cout);
    } else {
        std::printf("%s is good\n", settings.file.c_str());
    }
    return 0;
}

// 0, 1 if a router could not be read, or 2.
int dry_run(const steer::config::Settings& settings) {
    constexpr std::chrono::seconds kPatience{10};
    steer::build::Registry registry;
    const auto built = steer::judge(settings, registry);
    print(built.errors, "error");
    if (!built.ok()) return 2;
    return steer::dry_run(built.routers, kPatience, std::cout) ? 0 : 1;
}

// One rule a line, as compilers name a place. 0, or 2 for what is no name.
int why(const steer::config::Settings& settings, const std::string& name) {
    const auto rules = steer::config::rules_for(settings, name);
    if (!rules) {
        print({rules.error()}, "error");
        return 2;
    }
    for (const auto& r : *rules) {
        std::printf("%s:%d: %s: %s %s\n", r.file.c_str(), r.line, r.rule.c_str(),
                    std::string(steer::config::text_of(r.says)).c_str(),
                    steer::config::name_of(settings, r.plugin).c_str());
    }
    if (rules->empty()) std::printf("no rule holds for %s\n", name.c_str());
    return 0;
}

// 0, or 2 without a router.
int routeros_setup(const steer::config::Settings& settings) {
    const auto text = steer::setup::routeros_setup(settings);
    if (!text) {
        print({text.error()}, "error");
        return 2;
    }
    std::fputs(text->c_str(), stdout);
    return 0;
}

int serve(steer::config::LoadOutcome loaded, steer::ConfigSource source, bool will_fetch) {
    (void)::signal(SIGPIPE, SIG_IGN);  // a write to a closed socket gets EPIPE
    steer::harden_process();
    auto log = loaded.settings.log;
    if (!loaded.ok() && !will_fetch) log.file.clear();  // a refused start leaves no file
    if (auto started = steer::ops::start_log(log); !started) {
        log_all({}, {started.error()});
        return 1;
    }
    const steer::StartTraces traces(loaded.settings);
    std::set<std::string> tried;
    if (will_fetch) {
        loaded =
            source.load_with_lists(tried, {}, [](const std::string& s) { spdlog::info("{}", s); });
    }
    log_all(loaded.warnings, loaded.errors);
    if (!loaded.ok()) {
        traces.remove();
        return 2;
    }
    steer::Daemon daemon(std::move(loaded.settings), std::move(source), std::move(tried));
    const auto started = daemon.start();
    if (started) daemon.run();
    int code = 0;
    if (!started && !daemon.has_ended()) {
        const bool is_configuration = !daemon.configuration_errors().empty();
        log_all({},
                is_configuration ? daemon.configuration_errors() : std::vector{started.error()});
        code = is_configuration ? 2 : 1;
        traces.remove();
    }
    if (!daemon.stop()) {
        // Work goes on in the background and uses the daemon: no destructor may run.
        spdlog::shutdown();
        std::_Exit(code);
    }
    return code;
}

// `--init`, and an option for each of its questions.
CLI::Option* add_init(CLI::App& app, Arguments& arguments) {
    auto* const init = app.add_option("--init", arguments.init_file,
                                      "ask six questions, write a configuration (the one above, or "
                                      "FILE) and RouterOS commands beside it, and end")
                           ->option_text("[FILE]")
                           ->expected(0, 1);
    const auto in_group = [init](CLI::Option* option) {
        option->needs(init)->group("With --init");
    };
    in_group(app.add_flag("--yes", arguments.init.defaults, "ask nothing: take the defaults"));
    in_group(app.add_flag("--force", arguments.init.replace, "replace files that are there"));
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
                "a file whose first line is the password; without it a new one is made");
    }
    return init;
}

int run(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"SteerDNS: a DNS appliance for networks that route by name", "steerdnsd"};
    app.footer(
        "Signals: SIGHUP reads the configuration anew, SIGTERM and SIGINT end it cleanly. See also "
        "steerctl(8) and "
        "docs/reference/configuration.md.");
    app.set_version_flag("-V,--version", "steerdnsd " STEER_VERSION);
    app.add_option("-c,--config", arguments.config, "the configuration")->capture_default_str();
    app.add_option("-d,--directory", arguments.directory,
                   "where relative paths in it start from (default: its folder)");
    app.add_option("--control-socket", arguments.control_socket, "instead of `control.socket`");
    auto* check_option =
        app.add_option("--check", arguments.checked,
                       "say what is wrong with the configuration (or FILE) and end: 0 good, 2 not")
            ->option_text("[FILE]")
            ->expected(0, 1);
    app.add_flag("--dump-program", arguments.dump_program, "print the compiled policy and end");
    app.add_flag("--dry-run", arguments.dry_run,
                 "read the routers, print what a start would write to them, and end");
    app.add_option("--why", arguments.why,
                   "print which rules hold for a NAME, and where they are written, and end")
        ->option_text("NAME");
    auto* setup = app.add_option("--routeros-setup", arguments.routeros_setup,
                                 "print the RouterOS commands that the routers of the "
                                 "configuration (or of FILE) need, and their undo, and end")
                      ->option_text("[FILE]")
                      ->expected(0, 1);
    app.add_flag("--config-reference", arguments.reference,
                 "print every setting as Markdown and end");
    app.add_option("--explain-plugin", arguments.explained,
                   "print what a plugin TYPE does and takes, as Markdown, and end")
        ->option_text("TYPE");
    app.add_flag(
        "--ports", arguments.ports,
        "print the interfaces and NICs of this machine, what a port on each would be, and end");
    auto* const init = add_init(app, arguments);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (arguments.reference) {
        steer::config::write_reference(std::cout);
        return 0;
    }
    if (!arguments.explained.empty()) {
        const auto done = steer::config::explain_plugin(arguments.explained, std::cout);
        if (!done) print({done.error()}, "error");
        return done ? 0 : 2;
    }
    if (arguments.ports) {
        steer::write_survey(steer::survey_ports(steer::look_at_host()), std::cout);
        return 0;
    }
    if (init->count() > 0) {
        arguments.init.file = arguments.init_file.empty() ? arguments.config : arguments.init_file;
        return steer::init::run_init(arguments.init);
    }
    for (const std::string& file : {arguments.checked, arguments.routeros_setup}) {
        if (!file.empty()) arguments.config = file;
    }
    const steer::ConfigSource source{arguments.config,
                                     {.base_dir = arguments.directory, .environment = {}},
                                     arguments.control_socket};
    is_start = check_option->count() == 0 && !arguments.dump_program && !arguments.dry_run &&
               arguments.why.empty() && setup->count() == 0;
    auto loaded = source.load();
    // Without a missing download, which may be what an error is about, nothing is fetched for what is wrong already.
    const bool will_fetch = is_start && steer::ConfigSource::lacks_files(loaded.settings) &&
                            (loaded.ok() || steer::ConfigSource::lacks_downloads(loaded.settings));
    if (is_start) return serve(std::move(loaded), source, will_fetch);
    print(loaded.warnings, "warning");
    print(loaded.errors, "error");
    if (!loaded.ok()) return 2;
    if (!arguments.why.empty()) return why(loaded.settings, arguments.why);
    if (setup->count() > 0) return routeros_setup(loaded.settings);
    if (arguments.dry_run) return dry_run(loaded.settings);
    return check(loaded.settings, arguments.dump_program);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == steer::build::kCompilePatterns)
        return steer::build::run_pattern_process();
    static steer::build::PatternProcess patterns;
    steer::matchers::use_pattern_compiler(&patterns);
    try {
        return run(argc, argv);
    } catch (const std::bad_alloc&) {
        if (is_start) {
            log_all({}, {steer::no_memory({})});
        } else {
            print({steer::no_memory({})}, "error");
        }
        return 1;
    }
}
