// Domain rules, addresses and prefixes of a configuration: inline, or in files that it names.
//
// A bad inline rule is an error. A bad line of a file is a warning with file and line. It is an
// error if the list is strict or the file has no good line. Regexps are checked by compiling them,
// all together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/config/reading.h"
#include "control/config/setting.h"
#include "matchers/list/name_list.h"
#include "matchers/list/prefix_list.h"
#include "matchers/list/rule_list.h"
#include "matchers/rules_for_all.h"

namespace steer::config {

// One rule as text; a regexp is compiled. Without a prefix, `domain:` is meant.
Result<matchers::Rule> good_rule(std::string_view text);

void read_rule(Reading& in, const Text& text, const Place& place, std::vector<RuleAt>& out);
// `path`: as in the configuration.
void read_rule_file(Reading& in, const Text& path, const Place& place, bool strict,
                    std::vector<RuleAt>& out);
// How bad lines are handled.
struct BadLineTerms {
    bool strict = false;     // they are errors
    bool lenient = false;    // the list is a policy zone, read strictly except for bad lines
    bool match_all = false;  // false: a rule for all names is a bad line
};
// The rules that lists give to a set.
struct ListRules {
    std::vector<RuleAt> names;                 // names that are always in it
    std::vector<matchers::AdguardRule> rules;  // exceptions and conditional rules

    [[nodiscard]] std::size_t size() const { return names.size() + rules.size(); }
};
// The same for a list in another form, which may be named by a URL.
void read_name_file(Reading& in, const Text& path, const Place& place, const ListUse& use,
                    BadLineTerms terms, matchers::ListForm form, ListRules& out);
// Adds what a reader found in `file`, as take_rules() does.
void take_names(Reading& in, matchers::NameList names, const BadLineTerms& terms,
                const std::string& file, const Place& place, ListRules& out);
// A file is an error if it has at least this number of bad lines, and more bad lines than good
// ones. The numbers are for a list, for a file that operators write, and for a file whose bad lines
// are skipped on purpose.
inline constexpr std::size_t kOfList = 1, kOfOperator = 10, kOfLenient = SIZE_MAX;
// Reports the bad lines of a file; `good`: the number of good ones.
void say_bad_lines(Reading& in, const matchers::BadLines& bad, std::size_t good, bool strict,
                   const std::string& file, const Place& place, std::size_t most_bad = kOfList);
// Adds the rules that a reader found in `file` to `out`, and reports its bad lines.
void take_rules(Reading& in, matchers::RuleList list, bool strict, const std::string& file,
                const Place& place, std::vector<RuleAt>& out, std::size_t most_bad = kOfList);
Error rule_for_all(const matchers::Rule& rule);
// Turns rules for all names into bad lines, in a list from others. `Listed` has a `rule` and a
// `line`.
template <class Listed>
void refuse_rules_for_all(std::vector<Listed>& rules, matchers::BadLines& bad) {
    std::vector<const matchers::Rule*> regexps;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (rules[i].rule.kind != matchers::RuleKind::regexp) continue;
        regexps.push_back(&rules[i].rule);
        places.push_back(i);
    }
    const std::vector<std::size_t> all = matchers::rules_for_all(regexps);
    for (const std::size_t i : all)
        bad.add(rule_for_all(*regexps[i]), rules[places[i]].line);
    for (auto i = all.rbegin(); i != all.rend(); ++i)
        rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(places[*i]));
}
// The row `match_all` of plugins that read lists from others, for structs with such a member.
template <class Args>
constexpr Row<Args> match_all_row() {
    return {
        "match_all", &Args::match_all, "false", "",
        "accept a rule of a list that covers all names, such as `*`\nBy default such a line is "
        "invalid. By mistake, it would match every query. A regular expression covers all names if "
        "it matches at least nine of ten sample host names of each of three groups: names that "
        "people visit, names of servers and devices, and random labels."};
}
void take_prefixes(Reading& in, const matchers::PrefixList& list, bool strict,
                   const std::string& file, const Place& place, std::vector<matchers::Prefix>& out);
// Reads addresses of a file into persistent rows, with the same rules; never strict.
void read_prefix_file(Reading& in, const Text& path, const Place& place,
                      std::vector<PersistentRow>& out);
// The same for a set of addresses, which may be named by a URL.
void read_prefix_file(Reading& in, const Text& path, const Place& place, const ListUse& use,
                      bool strict, std::vector<matchers::Prefix>& out);
void read_prefix(Reading& in, const Text& text, const Place& place,
                 std::vector<matchers::Prefix>& out);

// Calls `visit` with each list of rules of a plugin that may have regexps.
template <class SomePlugin, class Visit>
void for_each_rules(SomePlugin& plugin, Visit visit) {
    const auto visit_args = [&](auto& args) {
        if constexpr (requires { args.steps.front().rules.front().rule.kind; }) {
            for (auto& step : args.steps)
                visit(step.rules);
        } else if constexpr (requires { args.rules.front().rule.kind; }) {
            visit(args.rules);
        }
    };
    std::visit(visit_args, plugin.args);
}
// Compiles every regexp of the settings. Removes an invalid one from its list if its file is not
// strict.
void check_patterns(Reading& in);

}  // namespace steer::config
