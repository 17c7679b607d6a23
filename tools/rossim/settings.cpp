#include "tools/rossim/settings.h"

#include <openssl/evp.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace rossim {
namespace {

constexpr const char* kDescription =
    R"(rossim - a MikroTik router, as far as its API and its address lists go

rossim serves the RouterOS API on a TCP port, and on another by TLS. It keeps the IPv4 and IPv6
address lists with their timeouts, answers print, add, set, remove, listen and cancel as a router
does, runs scripts and imports, and needs as long for it as a real one: --preset names a router whose CPU is imitated. One
process can be many routers. All rows are lost when it ends.)";

constexpr const char* kFooter = R"(
Examples
  rossim --port 8728 --user api-user:secret --preset fast --journal rows.jsonl --control r.sock
  rossim --router edge1,port=8728 --router edge2,port=8738,preset=slow --prefill other:10000
  rossim ctl r.sock list                 the rows of all routers
  rossim ctl r.sock @edge2 reboot 20     edge2 is away for 20 seconds; rows with a timeout are lost
  rossim ctl r.sock hang                 connections are accepted, nothing is answered
  rossim ctl r.sock fault reset command=add$ skip=9 applied=yes
                                         the tenth add is done, and its connection reset
  rossim ctl r.sock report               what was asked, and CPU time by class
  rossim ctl r.sock help                 all commands

When the ports are open rossim writes one line per router to its standard output. It ends on
SIGTERM and SIGINT. The journal has one JSON line per change of a row, at the moment when it took
effect, in nanoseconds of CLOCK_REALTIME.)";

// As given on the command line; each router starts from these.
struct Raw {
    Settings settings;
    std::string name = "rossim";
    int port = 8728;
    int tls_port = -1;
    std::string preset = "fast";
    std::string presets_file;
    double latency_ms = 0;
    bool throttle = false;
    std::string version = "7.21", claimed_version;
    bool has_switch_chip = false;
    std::size_t max_sessions = 20;
    std::string over_max_sessions = "close";
    std::vector<std::string> available_from;
    std::optional<std::size_t> max_rows;
    std::uint64_t fault_seed = 1;
    std::vector<std::string> users;
    std::vector<std::string> routers;
    std::vector<std::string> prefills;
    std::vector<std::string> prefills6;
    bool tag_last = false;
    bool multi_id_atomic = false;
    bool zero_timeout_expires = false;
    std::string static_timeout = "makes-timed";
    bool keep_ids = false;
    bool listen_costs = false;
    bool execute_error_is_trap = false;
    bool script_outlives_session = false;
    bool files_without_ftp = false;
    std::uint64_t shuffle_seed = 0;
    bool want_sha256 = false;
    ControlRequest control;
    std::vector<std::string> control_words;
};

std::string file_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string sha256(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        std::array<char, 3> pair{};
        std::snprintf(pair.data(), pair.size(), "%02x", digest[i]);
        hex += pair.data();
    }
    return hex;
}

template <class Number>
Number number(std::string_view what, const std::string& text) {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) {
        throw std::runtime_error(std::string(what) + ": \"" + text + "\" is not a number");
    }
    return value;
}

std::vector<std::string> split(const std::string& text, char separator, std::size_t most = 1000) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == separator && parts.size() < most) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

User read_user(const std::string& text) {
    const auto parts = split(text, ':', 3);
    if (parts.size() < 2 || parts[0].empty()) {
        throw std::runtime_error("--user " + text + ": expected NAME:PASSWORD or " +
                                 "NAME:PASSWORD:POLICY,POLICY");
    }
    User user{parts[0], parts[1], {"read", "write", "api"}};
    if (parts.size() == 3) user.policies = split(parts[2], ',');
    return user;
}

Prefill read_prefill(Family family, const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        throw std::runtime_error("--prefill " + text + ": expected LIST:COUNT");
    }
    const auto count = number<std::size_t>("--prefill", text.substr(colon + 1));
    if (count > 4'000'000) throw std::runtime_error("--prefill: at most 4000000 rows");
    return {family, text.substr(0, colon), count};
}

Version read_version(const std::string& text) {
    const auto parts = split(text, '.');
    if (parts.size() < 2 || parts.size() > 3)
        throw std::runtime_error("--ros-version " + text + ": expected 7.21 or 7.21.5");
    return {number<int>("--ros-version", parts[0]), number<int>("--ros-version", parts[1]),
            parts.size() == 3 ? number<int>("--ros-version", parts[2]) : 0};
}

std::optional<std::uint16_t> read_port(std::string_view what, int port) {
    if (port < 0) return std::nullopt;
    if (port > 65535) throw std::runtime_error(std::string(what) + ": a port is at most 65535");
    return static_cast<std::uint16_t>(port);
}

Costs read_preset(const Presets& presets, const std::string& name) {
    return name == "none" ? Costs{} : presets.get(name);
}

std::int64_t read_latency(double milliseconds) {
    if (!(milliseconds >= 0 && milliseconds <= 60'000)) {
        throw std::runtime_error("latency: from 0 to 60000 milliseconds");
    }
    return std::llround(milliseconds * 1000);
}

OverMaxSessions read_over_max_sessions(const std::string& text) {
    if (text == "close") return OverMaxSessions::close;
    if (text == "close-at-login") return OverMaxSessions::close_at_login;
    if (text == "refuse") return OverMaxSessions::refuse;
    throw std::runtime_error("--over-max-sessions " + text +
                             ": expected close, close-at-login or refuse");
}

StaticTimeout read_static_timeout(const std::string& text) {
    if (text == "makes-timed") return StaticTimeout::makes_timed;
    if (text == "ignored") return StaticTimeout::ignored;
    if (text == "refused") return StaticTimeout::refused;
    throw std::runtime_error("--static-timeout " + text +
                             ": expected makes-timed, ignored or refused");
}

RouterSettings base_router(const Raw& raw, const Presets& presets) {
    RouterSettings router;
    Options& options = router.options;
    options.name = raw.name;
    options.costs = read_preset(presets, raw.preset);
    if (raw.throttle) options.throttle = presets.throttle;
    options.version = read_version(raw.version);
    options.claimed_version = raw.claimed_version;
    options.has_switch_chip = raw.has_switch_chip;
    if (!raw.users.empty()) options.users.clear();
    for (const std::string& user : raw.users)
        options.users.push_back(read_user(user));
    options.latency_us = read_latency(raw.latency_ms);
    options.max_sessions = raw.max_sessions;
    options.over_max_sessions = read_over_max_sessions(raw.over_max_sessions);
    options.available_from = raw.available_from;
    options.max_rows = raw.max_rows;
    options.fault_seed = raw.fault_seed;
    options.tag_last = raw.tag_last;
    options.multi_id_atomic = raw.multi_id_atomic;
    options.zero_timeout_expires = raw.zero_timeout_expires;
    options.static_timeout = read_static_timeout(raw.static_timeout);
    options.shuffle_seed = raw.shuffle_seed;
    options.renumber_ids_on_reboot = !raw.keep_ids;
    options.listen_costs = raw.listen_costs;
    options.execute_error_is_trap = raw.execute_error_is_trap;
    options.script_outlives_session = raw.script_outlives_session;
    options.file_needs_ftp = !raw.files_without_ftp;
    router.port = read_port("--port", raw.port);
    router.tls_port = read_port("--tls-port", raw.tls_port);
    return router;
}

// "NAME,port=8728,tls-port=8729,preset=slow,latency=2"; ports have no default here.
RouterSettings read_router(const RouterSettings& base, const Presets& presets,
                           const std::string& text) {
    RouterSettings router = base;
    router.port.reset();
    router.tls_port.reset();
    const auto parts = split(text, ',');
    router.options.name = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto setting = split(parts[i], '=', 2);
        const std::string value = setting.size() == 2 ? setting[1] : "";
        if (setting[0] == "port") {
            router.port = read_port("port", number<int>("--router port", value));
        } else if (setting[0] == "tls-port") {
            router.tls_port = read_port("tls-port", number<int>("--router tls-port", value));
        } else if (setting[0] == "preset") {
            router.options.costs = read_preset(presets, value);
        } else if (setting[0] == "latency") {
            router.options.latency_us = read_latency(number<double>("--router latency", value));
        } else if (setting[0] == "ros-version") {
            router.options.version = read_version(value);
        } else {
            throw std::runtime_error("--router " + text + ": \"" + setting[0] +
                                     "\" is not one of port, tls-port, preset, latency, " +
                                     "ros-version");
        }
    }
    if (!router.port && !router.tls_port) {
        throw std::runtime_error("--router " + text + ": needs port=NUMBER or tls-port=NUMBER");
    }
    return router;
}

void describe_network(CLI::App& app, Raw& raw) {
    app.add_option("--address", raw.settings.address, "Address to listen on")
        ->capture_default_str();
    app.add_option("--port", raw.port, "TCP port of the plain API; 0: any free one, -1: none")
        ->capture_default_str();
    app.add_option("--tls-port", raw.tls_port, "TCP port of the API by TLS (RouterOS: 8729)");
    app.add_option("--certificate", raw.settings.tls.certificate_file,
                   "Certificate (PEM) for TLS; without it a self-signed one is made at start");
    app.add_option("--key", raw.settings.tls.key_file, "Key (PEM) of --certificate");
    app.add_option("--write-certificate", raw.settings.tls.write_certificate_file,
                   "Write the certificate in use to this file, for clients that verify it");
    app.add_flag("--adh", raw.settings.tls.anonymous,
                 "TLS as on a router without a certificate: anonymous DH, TLS 1.2");
    app.add_option("--latency", raw.latency_ms, "Milliseconds added to each round trip");
    app.add_option("--segment", raw.settings.segment_bytes,
                   "Send at most this many bytes at a time, for clients' readers");
    app.add_option("--max-sessions", raw.max_sessions,
                   "Maximum sessions, for API and TLS each; see --over-max-sessions")
        ->capture_default_str();
    app.add_option("--over-max-sessions", raw.over_max_sessions,
                   "What happens to a session above the maximum: close (at once), close-at-login, "
                   "refuse (a reset)")
        ->capture_default_str();
    app.add_option("--available-from", raw.available_from,
                   "Serve only clients in this prefix and close others at once; may be repeated")
        ->take_all()
        ->expected(1);
}

void describe_router(CLI::App& app, Raw& raw) {
    app.add_option("--name", raw.name, "Identity of the router")->capture_default_str();
    app.add_option("--router", raw.routers,
                   "Simulate one router of several: "
                   "NAME,port=N[,tls-port=N][,preset=P][,latency=MS][,ros-version=V]; other values "
                   "come from the other options")
        ->take_all()
        ->expected(1);
    app.add_option(
           "--user", raw.users,
           "Add a user: NAME:PASSWORD[:POLICY,POLICY...]; policies: read, write, api (default: "
           "these three), ftp; may be repeated. Default: admin without a password")
        ->take_all()
        ->expected(1);
    app.add_option("--ros-version", raw.version,
                   "RouterOS version to simulate (7.16.2): its menus, commands and arguments, and "
                   "what it answers")
        ->capture_default_str();
    app.add_option("--claim-version", raw.claimed_version,
                   "What /system/resource reports instead of --ros-version: a router that lies");
    app.add_flag("--switch-chip", raw.has_switch_chip,
                 "A device with a switch chip, of the ports ether1 to ether3");
    app.add_option("--prefill", raw.prefills, "LIST:COUNT: permanent IPv4 rows at start")
        ->take_all()
        ->expected(1);
    app.add_option("--prefill6", raw.prefills6, "LIST:COUNT: permanent IPv6 rows at start")
        ->take_all()
        ->expected(1);
    app.add_option("--preset", raw.preset, "Router whose CPU is simulated: fast, mid, slow, none")
        ->capture_default_str();
    app.add_option("--presets", raw.presets_file, "Read the presets from this file");
    app.add_flag("--presets-sha256", raw.want_sha256, "Print the SHA-256 of the presets and exit");
    app.add_flag("--throttle", raw.throttle, "Slow down bursts of requests, as virtual routers do");
    app.add_option("--max-rows", raw.max_rows,
                   "Maximum rows; a further row gets an out-of-memory error");
    app.add_option("--fault-seed", raw.fault_seed, "Random seed of `rossim ctl ... fault`");
    app.add_flag("--tag-last", raw.tag_last,
                 "Send .tag as the last word of a reply instead of the second");
    app.add_flag("--atomic-ids", raw.multi_id_atomic,
                 "An unknown id in a list of ids stops the whole command; default: earlier ids are "
                 "processed");
    app.add_flag("--zero-timeout-expires", raw.zero_timeout_expires,
                 "timeout=0s removes a row at once; default: it makes the row permanent");
    app.add_option(
           "--static-timeout", raw.static_timeout,
           "Effect of set timeout= on a row without a timeout: makes-timed, ignored, refused")
        ->capture_default_str();
    app.add_option("--shuffle", raw.shuffle_seed,
                   "Random seed: process tagged commands in random order");
    app.add_flag("--listen-costs", raw.listen_costs,
                 "Reporting a row change to a listener costs as much time as printing the row; "
                 "default: none");
    app.add_flag("--execute-traps", raw.execute_error_is_trap,
                 "An error in /execute as-string is a trap; default: it ends the output");
    app.add_flag("--scripts-outlive", raw.script_outlives_session,
                 "Continue a script when its client disconnects");
    app.add_flag("--files-without-ftp", raw.files_without_ftp,
                 "Do not require the policy ftp for /file and /import");
    app.add_flag("--keep-ids", raw.keep_ids, "Keep row ids over a reboot");
}

Invocation choose(Raw& raw, bool is_control) {
    Invocation invocation;
    if (is_control) {
        for (const std::string& word : raw.control_words) {
            raw.control.line += (raw.control.line.empty() ? "" : " ") + word;
        }
        invocation.control = raw.control;
        return invocation;
    }
    const std::string text = raw.presets_file.empty() ? std::string(built_in_presets_text())
                                                      : file_text(raw.presets_file);
    if (raw.want_sha256) {
        invocation.print = sha256(text) + "\n";
        return invocation;
    }
    const Presets presets = parse_presets(text);
    const RouterSettings base = base_router(raw, presets);
    if (raw.routers.empty()) raw.settings.routers.push_back(base);
    for (const std::string& router : raw.routers) {
        raw.settings.routers.push_back(read_router(base, presets, router));
    }
    for (const std::string& prefill : raw.prefills) {
        raw.settings.prefills.push_back(read_prefill(Family::ipv4, prefill));
    }
    for (const std::string& prefill : raw.prefills6) {
        raw.settings.prefills.push_back(read_prefill(Family::ipv6, prefill));
    }
    if (raw.settings.tls.certificate_file.empty() != raw.settings.tls.key_file.empty()) {
        throw std::runtime_error(
            "--certificate and --key must be used together: write both or none");
    }
    invocation.run = raw.settings;
    return invocation;
}

}  // namespace

Invocation read_command_line(int argc, char** argv) {
    Raw raw;
    CLI::App app(kDescription, "rossim");
    app.footer(kFooter);
    app.set_version_flag("--version", STEER_VERSION);
    describe_network(app, raw);
    describe_router(app, raw);
    app.add_option("--journal", raw.settings.journal_file,
                   "Append one JSON line per row change to this file");
    app.add_option("--control", raw.settings.control_socket, "UNIX socket for `rossim ctl`");
    CLI::App* const control = app.add_subcommand("ctl", "Control a running rossim; see `help`");
    control->add_option("socket", raw.control.socket, "Control socket (--control) of that rossim")
        ->required();
    control->add_option("command", raw.control_words, "[@ROUTER] COMMAND [ARGUMENT...]")
        ->required();
    control->positionals_at_end(false);
    control->prefix_command(false);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        Invocation invocation;
        invocation.exit_code = app.exit(error) == 0 ? 0 : 2;
        return invocation;
    }
    return choose(raw, control->parsed());
}

}  // namespace rossim
