#include <stdbool.h>  // otherwise ldns makes macros of bool, true and false
#include <unistd.h>

#include <ldns/dnssec.h>
#include <ldns/host2str.h>
#include <ldns/rr.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <map>

#include "control/program/engine/engine.h"
#include "matchers/list/lines.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::recursion {
namespace {

constexpr std::string_view kEngineFile = "/usr/sbin/unbound",
                           kCheckFile = "/usr/sbin/unbound-checkconf";
constexpr std::string_view kRootWord = "root";
constexpr std::string_view kProtocol = "UBCT1 ";  // of unbound-control

// Servers from which the root zone may be transferred (RFC 8806 B).
constexpr std::array<std::string_view, 5> kRootZoneServers{
    "192.0.32.132", "192.0.47.132", "2620:0:2d0:202::132", "2620:0:2830:202::132", "192.5.5.241"};

// Builds the text, and notes for each line the one of our configuration.
class Writer {
  public:
    explicit Writer(int line) : own_(line) {}
    void add(std::string_view text, int line = 0) {
        config_.text.append(text).push_back('\n');
        config_.lines.push_back(line == 0 ? own_ : line);
    }
    void option(std::string_view name, std::string_view value, int line = 0) {
        add("  " + std::string(name) + ": " + std::string(value), line);
    }
    void quoted(std::string_view name, std::string_view value, int line = 0) {
        option(name, '"' + std::string(value) + '"', line);
    }
    void flag(std::string_view name, bool value) { option(name, value ? "yes" : "no"); }
    EngineConfig take() { return std::move(config_); }

  private:
    int own_;
    EngineConfig config_;
};

std::string server_text(const config::RecursionZone::Server& server) {
    return server.address.to_string() + "@" + std::to_string(server.port);
}

void write_anchors(Writer& out, const config::Recursion& settings) {
    if (has_root_anchor(settings)) out.quoted("auto-trust-anchor-file", kAnchorFile);
    for (const auto& anchor : settings.trust_anchors) {
        if (anchor.value == kRootWord) continue;
        out.quoted(anchor.value.starts_with('/') ? "trust-anchor-file" : "trust-anchor",
                   anchor.value, anchor.line);
    }
    for (const auto& zone : settings.negative_trust_anchors)
        out.quoted("domain-insecure", zone.value, zone.line);
}

void write_validation(Writer& out, const config::Recursion& settings) {
    const bool is_on = settings.validate != config::Validation::no;
    out.quoted("module-config", is_on ? "validator iterator" : "iterator");
    if (!is_on) return;
    write_anchors(out, settings);
    out.flag("val-permissive-mode", settings.validate == config::Validation::permissive);
    out.option("val-log-level", "2");
    out.flag("harden-dnssec-stripped", true);
    out.flag("aggressive-nsec", settings.aggressive_nsec);
}

void write_caches(Writer& out, std::uint64_t bytes) {
    const auto part = [bytes](std::uint64_t sixteenths) {
        return std::to_string(bytes / 16 * sixteenths);
    };
    out.option("rrset-cache-size", part(8));
    out.option("msg-cache-size", part(4));
    out.option("key-cache-size", part(2));
    out.option("neg-cache-size", part(1));
    out.option("infra-cache-numhosts",
               std::to_string(std::max<std::uint64_t>(bytes / 16 / 512, 1000)));
}

void write_outgoing(Writer& out, const config::Recursion& settings) {
    for (const IpAddress& address : settings.outgoing)
        out.option("outgoing-interface", address.to_string());
    const auto range = [](std::uint16_t first, std::uint16_t last) {
        return std::to_string(first) + "-" + std::to_string(last);
    };
    if (settings.first_port != 0) {
        out.quoted("outgoing-port-avoid", "0-65535");
        out.quoted("outgoing-port-permit", range(settings.first_port, settings.last_port));
    }
    // Ports of the network take replies to these for the daemon's.
    if (settings.first_taken_port != 0)
        out.quoted("outgoing-port-avoid",
                   range(settings.first_taken_port, settings.last_taken_port));
}

bool has_loopback(const std::vector<config::RecursionZone>& zones) {
    return std::ranges::any_of(zones, [](const config::RecursionZone& zone) {
        return std::ranges::any_of(zone.servers,
                                   [](const auto& one) { return one.address.is_loopback(); });
    });
}

void write_zones(Writer& out, std::string_view clause, std::string_view server,
                 const std::vector<config::RecursionZone>& zones) {
    for (const config::RecursionZone& zone : zones) {
        out.add(std::string(clause) + ":", zone.line);
        out.quoted("name", zone.zone, zone.line);
        for (const auto& one : zone.servers)
            out.option(server, server_text(one), zone.line);
    }
}

void write_root_zone(Writer& out, int line) {
    if (line == 0) return;
    out.add("auth-zone:", line);
    out.quoted("name", ".", line);
    for (const std::string_view server : kRootZoneServers)
        out.option("primary", server, line);
    out.option("fallback-enabled", "yes", line);
    out.option("for-downstream", "no", line);
    out.option("for-upstream", "yes", line);
    out.quoted("zonefile", "root.zone", line);
}

// Of the operator, last: they win. Words keep their quotes, which end them as they were read.
void write_extra(Writer& out, const std::vector<config::EngineStatement>& statements) {
    if (!statements.empty() && !statements.front().begins_clause)
        out.add("server:", statements.front().line);
    for (const config::EngineStatement& one : statements) {
        std::string text = (one.begins_clause ? "" : "  ") + std::string(one.name) + ":";
        for (const config::EngineWord& word : one.words)
            text += std::string(" ") + word.quote + word.text + word.quote;
        out.add(text, one.line);
    }
}

// The word behind the last `before` in it, without the root's dot at its end; "": there is none.
std::string word_behind(std::string_view line, std::string_view before) {
    const auto at = line.rfind(before);
    if (at == std::string_view::npos) return {};
    line.remove_prefix(at + before.size());
    std::string_view word = line.substr(0, line.find_first_of(" >"));
    if (word.size() > 1 && word.ends_with('.')) word.remove_suffix(1);
    return safe_text(word);
}

// "validation failure <a.example. A IN>: signature expired from 192.0.2.1 for key example. …", or
// "SERVFAIL <a.example. A IN>: all servers for this domain failed, at zone example. …".
std::optional<Failure> failure_of(std::string_view line) {
    const bool is_bogus = line.starts_with("validation failure <");
    if (!is_bogus && !line.starts_with("SERVFAIL <")) return std::nullopt;
    Failure out;
    const std::string_view why = line.substr(std::min(line.find(">: "), line.size()));
    for (const std::string_view before :
         {" for key ", " for DS ", " for trust anchor ", " at zone "}) {
        if (out.zone.empty()) out.zone = word_behind(why, before);
    }
    if (out.zone.empty()) out.zone = word_behind(line.substr(0, line.find(">: ")), "<");
    if (is_bogus) {
        out.reason = FailureReason::bogus;
    } else if (why.find(" failed, at zone ") != std::string_view::npos) {
        out.reason = FailureReason::silent;
    }
    return out;
}

// Of the time and the process: "[1700000000] unbound[12:0] info: …".
std::string_view without_stamp(std::string_view line) {
    const auto end = line.starts_with('[') ? line.find("] ", line.find("] ") + 2) : line.npos;
    if (end != std::string_view::npos) line.remove_prefix(end + 2);
    return line;
}

std::int64_t number_at(std::string_view text) {
    std::int64_t value = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool is_key(std::string_view line) {
    return line.substr(0, line.find(';')).find_first_not_of(" \t") != std::string_view::npos;
}

// Of a whole key: ". 86400 IN DNSKEY 257 3 8 AwEA… ;{id = 20326 (ksk), size = 2048b} ;;state=2 …", or
// as the package has it: "…; keytag 20326".
struct KeyTag {
    unsigned tag = 0;
    bool is_named = false;  // by its comment
};
std::optional<KeyTag> key_tag_of(std::string_view line) {
    const std::string record(line.substr(0, line.find(';')));
    ldns_rr* rr = nullptr;
    if (ldns_rr_new_frm_str(&rr, record.c_str(), 0, nullptr, nullptr) != LDNS_STATUS_OK)
        return std::nullopt;
    KeyTag out;
    const bool is_ds = ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS;
    const bool is_whole = is_ds || ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY;
    if (is_whole)
        out.tag = is_ds ? ldns_rdf2native_int16(ldns_rr_rdf(rr, 0)) : ldns_calc_keytag(rr);
    ldns_rr_free(rr);
    if (!is_whole) return std::nullopt;
    // A key that is torn has another tag.
    for (const std::string_view before : {"{id = ", "keytag "}) {
        const auto at = line.find(before);
        if (at == std::string_view::npos) continue;
        if (number_at(line.substr(at + before.size())) != out.tag) return std::nullopt;
        out.is_named = true;
    }
    return out;
}

}  // namespace

std::vector<Starter::Program> programs() {
    const std::string config = "/proc/self/fd/" + std::to_string(kConfigFd);
    Starter::Program engine;
    engine.name = kEngineName;
    engine.files = {std::string(kEngineFile)};
    // In the foreground, without a file for its process id.
    engine.words = {std::string(kEngineName), "-d", "-p", "-c", config};
    engine.is_opened_by_start = engine.ends_with_daemon = true;
    // The daemon, which has its group, reads the root's keys and uses the control socket.
    engine.umask = 007;
    engine.filter = ThreadKind::engine;
    Starter::Program check;
    check.name = kCheckName;
    check.files = {std::string(kCheckFile)};
    check.words = {std::string(kCheckName), config};
    check.is_opened_by_start = check.ends_with_daemon = check.never_as_root = true;
    check.filter = ThreadKind::engine;
    return {std::move(engine), std::move(check)};
}

std::string why_missing() {
    std::string missing;
    for (const std::string_view file : {kEngineFile, kCheckFile, kRootKey}) {
        if (::access(std::string(file).c_str(), R_OK) == 0) continue;
        missing += (missing.empty() ? "" : " and ") + std::string(file);
    }
    if (missing.empty()) return {};
    return "needs the program unbound, and " + missing +
           " cannot be read: run 'apt-get install -y unbound dns-root-data && systemctl disable "
           "--now unbound'";
}

std::vector<std::string> files_of(const config::Recursion& settings) {
    std::vector<std::string> files;
    if (!settings.root_hints.value.empty()) files.push_back(settings.root_hints.value);
    for (const auto& anchor : settings.trust_anchors) {
        if (anchor.value.starts_with('/')) files.push_back(anchor.value);
    }
    return files;
}

bool has_root_anchor(const config::Recursion& settings) {
    const auto& anchors = settings.trust_anchors;
    return settings.validate != config::Validation::no &&
           (anchors.empty() ||
            std::ranges::find(anchors, kRootWord, &config::RecursionText::value) != anchors.end());
}

EngineConfig configuration(const config::Recursion& settings, const std::string& folder,
                           std::uint16_t port) {
    Writer out(settings.line);
    out.add("# Written by steerdnsd. Change the plugin `recursion` of its configuration instead.");
    out.add("server:");
    out.quoted("directory", folder);
    out.option("interface", "127.0.0.1@" + std::to_string(port));
    out.option("access-control", "127.0.0.0/8 allow");
    for (const std::string_view name : {"username", "chroot", "pidfile", "logfile"})
        out.quoted(name, "");
    for (const std::string_view name :
         {"do-daemonize", "use-syslog", "log-time-ascii", "prefetch", "serve-expired"})
        out.flag(name, false);
    out.option("num-threads", "1");
    out.option("verbosity", "1");
    for (const std::string_view name :
         {"log-servfail", "ede", "use-caps-for-id", "hide-identity", "hide-version",
          "extended-statistics", "statistics-cumulative", "insecure-lan-zones", "so-reuseport"})
        out.flag(name, true);
    out.flag("qname-minimisation", settings.qname_minimisation);
    write_validation(out, settings);
    write_caches(out, settings.cache_bytes);
    if (!settings.root_hints.value.empty()) {
        out.quoted("root-hints", settings.root_hints.value, settings.root_hints.line);
    } else {
        out.quoted("root-hints", kRootHints);
    }
    write_outgoing(out, settings);
    for (const auto& prefix : settings.private_addresses)
        out.option("private-address", prefix.to_string());
    for (const auto* const zones : {&settings.stubs, &settings.forwards}) {
        for (const auto& zone : *zones)
            out.quoted("private-domain", zone.zone, zone.line);
        // Without it, the engine denies private reverse zones by itself (RFC 6303).
        for (const auto& zone : *zones)
            out.add("  local-zone: \"" + zone.zone + "\" transparent", zone.line);
    }
    if (has_loopback(settings.stubs) || has_loopback(settings.forwards))
        out.flag("do-not-query-localhost", false);
    out.add("remote-control:");
    out.flag("control-enable", true);
    out.quoted("control-interface", folder + "/" + std::string(kControlSocket));
    out.flag("control-use-cert", false);
    write_zones(out, "stub-zone", "stub-addr", settings.stubs);
    write_zones(out, "forward-zone", "forward-addr", settings.forwards);
    write_root_zone(out, settings.root_zone);
    write_extra(out, settings.extra);
    return out.take();
}

// "/proc/self/fd/5:12: error: unknown keyword 'x'", and sentences without a line.
std::vector<CheckError> errors_of(std::string_view output, const EngineConfig& config) {
    std::vector<CheckError> found;
    const int whole = config.lines.empty() ? 0 : config.lines.front();
    const std::string prefix = "/proc/self/fd/" + std::to_string(kConfigFd) + ":";
    matchers::Lines lines(output);
    while (const auto next = lines.next()) {
        std::string_view line = next->text;
        if (line.empty() || line.starts_with("read ") || line.find("no errors in") != line.npos)
            continue;
        CheckError error{whole, {}};
        if (const auto at = line.find(prefix); at != std::string_view::npos) {
            line.remove_prefix(at + prefix.size());
            std::size_t number = 0;
            const auto [rest, code] =
                std::from_chars(line.data(), line.data() + line.size(), number);
            if (code == std::errc{} && number > 0 && number <= config.lines.size())
                error.line = config.lines[number - 1];
            line.remove_prefix(static_cast<std::size_t>(rest - line.data()));
        } else {
            line = without_stamp(line);
        }
        for (const std::string_view word : {": ", "error: ", "fatal error: "}) {
            if (line.starts_with(word)) line.remove_prefix(word.size());
        }
        error.text = safe_text(line);
        found.push_back(std::move(error));
    }
    // The first sentence about a line is its cause.
    std::ranges::stable_sort(found, {}, &CheckError::line);
    const auto is_of_same_line = [](const CheckError& a, const CheckError& b) {
        return a.line == b.line;
    };
    found.erase(std::unique(found.begin(), found.end(), is_of_same_line), found.end());
    // A line's own sentence says more than one about a part of it.
    const auto is_of_line = [whole](const CheckError& one) { return one.line != whole; };
    if (std::ranges::any_of(found, is_of_line))
        std::erase_if(found, [&](const CheckError& one) { return !is_of_line(one); });
    return found;
}

// "[1700000000] unbound[12:0] info: validation failure <a.example. A IN>: …"
LogLine log_line(std::string_view line) {
    LogLine out;
    line = without_stamp(line);
    constexpr std::array<std::pair<std::string_view, LineLevel>, 6> kLevels{
        {{"fatal error: ", LineLevel::error},
         {"error: ", LineLevel::error},
         {"warning: ", LineLevel::warning},
         {"notice: ", LineLevel::detail},
         {"info: ", LineLevel::detail},
         {"debug: ", LineLevel::detail}}};
    for (const auto& [word, level] : kLevels) {
        if (!line.starts_with(word)) continue;
        line.remove_prefix(word.size());
        out.level = level;
        break;
    }
    out.failure = failure_of(line);
    if (out.failure) out.level = LineLevel::detail;
    out.text = safe_text(line);
    return out;
}

std::string command(std::string_view words) {
    return std::string(kProtocol) + std::string(words) + "\n";
}

Result<std::string> zone_word(const std::string& name) {
    if (name == ".") return {boost::system::in_place_value, name};
    auto zone = matchers::parse_name(name, {.alone = true});
    if (zone && zone->find_first_of(" \"\\") != std::string::npos)
        return Error{matchers::quoted(name) +
                     " has a blank, a quote or a backslash, which unbound-control cannot "
                     "take: write a plain domain name"};
    return zone;
}

std::string flush_command(std::string_view name) {
    return command("flush_zone " + std::string(name));
}

std::string distrust_command(std::string_view zone, bool is_set) {
    return command((is_set ? "insecure_add " : "insecure_remove ") + std::string(zone));
}

bool is_done(std::string_view answer) {
    return answer.starts_with("ok");
}

EngineCounts counts_of(std::string_view answer) {
    std::map<std::string_view, std::string_view> values;
    matchers::Lines lines(answer);
    while (const auto next = lines.next()) {
        const std::string_view line = next->text;
        if (const auto equals = line.find('='); equals != std::string_view::npos)
            values[line.substr(0, equals)] = line.substr(equals + 1);
    }
    EngineCounts out;
    const auto number = [&values](std::string_view name) {
        const auto at = values.find(name);
        return at == values.end() ? 0 : static_cast<std::uint64_t>(number_at(at->second));
    };
    // "histogram.000000.000512.to.000000.001024": seconds and microseconds.
    for (const auto& [name, value] : values) {
        const auto to = name.find(".to.");
        if (!name.starts_with("histogram.") || to == std::string_view::npos) continue;
        const double bound = std::strtod(std::string(name.substr(to + 4)).c_str(), nullptr);
        std::size_t at = 0;
        while (at < kTimeBounds.size() && bound > std::strtod(kTimeBounds[at].data(), nullptr))
            ++at;
        out.recursions_by_time[at] += number(name);
    }
    const auto seconds = [&values](std::string_view name) {
        const auto at = values.find(name);
        return at == values.end() ? 0.0 : std::strtod(std::string(at->second).c_str(), nullptr);
    };
    out.queries = number("total.num.queries");
    out.recursions = number("total.num.recursivereplies");
    out.servfail = number("num.answer.rcode.SERVFAIL");
    out.secure = number("num.answer.secure");
    out.bogus = number("num.answer.bogus");
    for (const std::string_view cache :
         {"mem.cache.rrset", "mem.cache.message", "mem.mod.iterator", "mem.mod.validator"})
        out.bytes += number(cache);
    out.recursion_mean_s = seconds("total.recursion.time.avg");
    out.recursion_median_s = seconds("total.recursion.time.median");
    out.uptime_s = seconds("time.up");
    return out;
}

RootKeys root_keys_of(std::string_view text) {
    RootKeys out;
    constexpr std::string_view kSuccess = ";;last_success: ", kState = ";;state=";
    matchers::Lines lines(text);
    while (const auto next = lines.next()) {
        const std::string_view line = next->text;
        if (line.starts_with(kSuccess)) {
            if (const auto at = number_at(line.substr(kSuccess.size())); at > 0) out.success_s = at;
        }
        if (!is_key(line)) continue;
        const auto tag = key_tag_of(line);
        if (!tag) {
            out.is_damaged = true;
            continue;
        }
        out.known.push_back(tag->tag);
        if (!tag->is_named) out.unnamed.push_back(tag->tag);
        const auto state = line.find(kState);
        constexpr std::int64_t kValid = 2, kMissing = 3;
        const auto number = state == std::string_view::npos
                                ? kValid
                                : number_at(line.substr(state + kState.size()));
        if (number == kValid || number == kMissing) out.valid.push_back(tag->tag);
    }
    return out;
}

}  // namespace steer::recursion
