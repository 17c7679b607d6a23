// What depends on the program that resolves: its files, its configuration, its check, and the words
// of its control socket. unbound.cpp is the only source file behind it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/recursion_settings.h"
#include "control/host/process/starter.h"
#include "matchers/result.h"

namespace steer::recursion {

// The descriptor of its configuration in a process of the engine (Starter).
inline constexpr int kConfigFd = 5;

// Programs for the table of the starter: the engine, and the check of its configuration, which
// reads it from descriptor kConfigFd and writes to its standard output and error.
inline constexpr std::string_view kEngineName = "unbound", kCheckName = "unbound-checkconf";
std::vector<Starter::Program> programs();
// Empty: both programs and the root's key are installed. Else what is missing and the command that
// installs it, to follow the plugin's name.
std::string why_missing();

// The folder below which the engine may have files: Debian's profile of AppArmor for it allows no
// other.
inline constexpr std::string_view kStateFolder = "/var/lib/unbound/steerdns";
inline constexpr std::string_view kUser = "steerdns-recursion";

// Files of the folder of an instance.
inline constexpr std::string_view kConfigFile = "unbound.conf", kControlSocket = "control",
                                  kAnchorFile = "root.key";
// The root's key as the package dns-root-data has it: content of a new kAnchorFile.
inline constexpr std::string_view kRootKey = "/usr/share/dns/root.key",
                                  kRootHints = "/usr/share/dns/root.hints";

struct EngineConfig {
    std::string text;
    std::vector<int> lines;  // for each line of it: that of our configuration
};
// `folder` of the instance; `port` on 127.0.0.1. `outgoing` of the settings has the addresses of
// `outgoing_interface` (machine.h).
EngineConfig configuration(const config::Recursion& settings, const std::string& folder,
                           std::uint16_t port);

// The files that its settings name, beside those of the system and of its own folder.
std::vector<std::string> files_of(const config::Recursion& settings);

// Whether the root's keys of kAnchorFile are among its anchors.
bool has_root_anchor(const config::Recursion& settings);

struct CheckError {
    int line = 0;  // of our configuration
    std::string text;
};
// From the output of the check, which failed.
std::vector<CheckError> errors_of(std::string_view output, const EngineConfig& config);

// What a line of its output is worth: "warning: …" of the engine.
enum class LineLevel : std::uint8_t { error, warning, info, detail };
// Why a name was not resolved.
enum class FailureReason : std::uint8_t {
    bogus,   // not validated
    silent,  // no server of a zone answered usefully
    other
};
inline constexpr std::array<std::string_view, 3> kFailureReasons{"bogus", "silent", "other"};
struct Failure {
    FailureReason reason = FailureReason::other;
    std::string zone;  // where it failed, or the name itself: "example.com", "."
};
struct LogLine {
    LineLevel level = LineLevel::info;
    std::string text;
    std::optional<Failure> failure;  // `text` says why a name was not resolved
};
LogLine log_line(std::string_view line);

// Commands of the control socket, each a connection of its own (unbound-control(8)).
std::string command(std::string_view words);
// A name as a word of a command; "." is the root. An Error: it cannot be one.
Result<std::string> zone_word(const std::string& name);
// A name with all below it: that of one name alone leaves its rare types.
std::string flush_command(std::string_view name);
std::string distrust_command(std::string_view zone, bool is_set);
// It reads its configuration again, and keeps its cache.
inline constexpr std::string_view kReloadWords = "reload_keep_cache";
// The answer of a command that has done it.
bool is_done(std::string_view answer);

// Upper bounds of the times of recursions, in seconds as metrics have them. A last bucket has the
// longer ones.
inline constexpr std::array<std::string_view, 14> kTimeBounds{
    "0.001024", "0.002048", "0.004096", "0.008192", "0.016384", "0.032768", "0.065536",
    "0.131072", "0.262144", "0.524288", "1.0",      "2.0",      "4.0",      "8.0"};
struct EngineCounts {
    std::uint64_t queries = 0, recursions = 0, servfail = 0, secure = 0, bogus = 0, bytes = 0;
    double recursion_mean_s = 0, recursion_median_s = 0;
    double uptime_s = 0;
    std::array<std::uint64_t, kTimeBounds.size() + 1> recursions_by_time{};
};
inline constexpr std::string_view kCountsWords = "stats_noreset";
EngineCounts counts_of(std::string_view answer);

// What a file of the root's keys says: that of the package, and the one that the engine keeps.
struct RootKeys {
    std::vector<unsigned> valid;            // key tags
    std::vector<unsigned> known;            // also those that wait, or are revoked
    std::vector<unsigned> unnamed;          // no comment beside them says their tag
    bool is_damaged = false;                // a line is no whole key
    std::optional<std::int64_t> success_s;  // of the last query for them, since 1970
};
RootKeys root_keys_of(std::string_view text);
inline constexpr std::size_t kMostRootKeys = 256 << 10;  // bytes of such a file

}  // namespace steer::recursion
