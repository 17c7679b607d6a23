// Arguments of the plugins that have rules or test a query: providers and matchers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "control/config/settings/plugin_tables.h"
#include "matchers/name_matcher.h"
#include "matchers/pattern/text_test.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::config {

struct RuleAt {
    matchers::Rule rule;
    std::uint32_t file = 0;  // index of Settings::files
    int line = 0;
    std::uint32_t value = 0;  // of a rule with a value: its index
};

// Ranks of steps: important exceptions, important rules, exceptions, rules.
inline constexpr unsigned kLastRank = 3;
// Rules of a set for the same questions, and their decision.
struct RuleStep {
    bool in = true;  // false: an exception
    unsigned rank =
        kLastRank;  // 0 decides first. Important exceptions, important rules, exceptions, rules
    std::vector<RuleAt> rules;   // for these names ...
    std::vector<RuleAt> unless;  // ... but not for these ...
    std::vector<std::uint16_t> types,
        other_types;  // ... if the question has one of `types` (empty: all) and none of these
    [[nodiscard]] bool has_types() const { return !types.empty() || !other_types.empty(); }
    [[nodiscard]] bool has_negation() const { return !in || !unless.empty(); }
};
// A set of names: the first matching step decides whether it has a name. Names alone are one step.
struct DomainSet {
    std::vector<RuleStep> steps;    // by rank; from `exps`, `rules` and `files`
    std::vector<PluginIndex> sets;  // all their names are in it
    std::optional<PluginIndex>
        exceptions{};  // sets with steps before these of the same rank: for all lists of an adlist
    bool strict = false;
    bool inherit = false;  // it also gets the names that answers for its names point to
};
// Address lists of routers with this name; we follow their changes.
struct RosList {
    std::vector<RouterIndex> routers;  // at least one
    std::string list;
    std::uint32_t max_entries = 65'536;  // maximum per router
};
struct IpSet {
    std::vector<matchers::Prefix> prefixes;  // of `ips` and `files`
    std::vector<PluginIndex> sets;           // ip_sets that it includes
    std::optional<RosList> live;             // of a ros_list, which has only this
};
struct NameRules {
    std::vector<RuleAt> rules;  // inline and &file
    std::vector<PluginIndex> sets;
    [[nodiscard]] bool empty() const { return rules.empty() && sets.empty(); }
};
struct Qname : NameRules {};
struct Cname : NameRules {};
struct Question : NameRules {};  // the question's name; rules by type count
enum class AddressOf : std::uint8_t { client, response, name };
struct IpMatch {  // `client_ip`, `resp_ip`, `ptr_ip`
    AddressOf of = AddressOf::client;
    std::vector<matchers::Prefix> prefixes;  // inline and &file
    std::vector<PluginIndex> sets;
};
struct DeviceMatch {                  // `client_mac`, `client_host`, `client_group`: in any of them
    std::vector<std::uint64_t> macs;  // matchers/prefix/mac_address.h
    std::vector<std::string> names;   // a label or a whole name, in lower case, without a last dot
    std::vector<std::string> groups;  // of leases, in lower case
    std::vector<std::string> made;    // groups that people made
};
#define STEER_NUMBER_NAME(number, operation) number,
enum class NumberOf : std::uint8_t { STEER_NUMBERS(STEER_NUMBER_NAME) };
#undef STEER_NUMBER_NAME
struct NumberMatch {  // `qtype` and those beside it in plugins/number_match.cpp
    NumberOf of = NumberOf::type;
    std::vector<std::uint16_t> numbers;  // at least one
};
struct HasResp {};
struct HasWantedAnswer {};
struct Constant {  // `_true`, `_false`, and `env`, which is read once
    bool value = true;
};
inline constexpr std::size_t kMaxMarks = 64;  // of one test or step
struct MarkMatch {
    std::vector<std::uint32_t> marks;  // at least one
};
struct RandomMatch {
    double probability = 0;  // 0..1
};
// A part of each day, or of some days. Its days are those on which it starts.
struct TimePeriod {
    std::uint16_t start_min = 0, end_min = 0;  // minutes of the day; end < start: on the next day
    std::uint8_t weekdays = 0;                 // bit 0: Monday; none: every day
    std::uint32_t monthdays = 0;               // bit 1: the first; none: every day
    [[nodiscard]] bool is_all_day() const { return start_min == end_min; }
};
inline constexpr std::size_t kMaxPeriods = 64;
struct TimeMatch {                    // `time`: within any of them
    std::string timezone;             // IANA name; empty: the system's
    std::vector<TimePeriod> periods;  // at least one
};
// Maximum time to refill a bucket: a larger `burst` is limited to this.
inline constexpr std::uint32_t kLongestRefillS = 86'400;
struct RateMatch {    // rate_limiter
    double qps = 20;  // 0.001..4294967295
    std::uint32_t burst = 40;
    std::uint32_t mask4 = 32, mask6 = 48;
};
enum class TextOf : std::uint8_t { client, response, marks, server_name, url_path };
struct TextMatch {  // `string_exp` on other facts than names and numbers, which only a query has
    TextOf of = TextOf::client;
    matchers::TextOperation operation = matchers::TextOperation::eq;
    std::vector<std::string> words;
};
struct MatchUse {
    PluginIndex plugin = 0;
    bool negate = false;
    int line = 0;
};
struct AnyMatch {
    std::vector<MatchUse> matches;  // at least one; any of them must match
};

}  // namespace steer::config
