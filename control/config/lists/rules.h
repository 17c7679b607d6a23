// Domain rules, addresses and prefixes of a configuration: written inline, or in files that it names.
//
// A bad inline rule is an error. A bad line of a file is a warning with file and line, and an error
// if the list is strict or if no line of the file is good. Regexps are tried by compiling them,
// once for all of them.
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

// One rule as text; a regexp is tried. Without a prefix `domain:` is meant.
Result<matchers::Rule> good_rule(std::string_view text);

void read_rule(Reading& in, const Text& text, const Place& place, std::vector<RuleAt>& out);
// `path` as written.
void read_rule_file(Reading& in, const Text& path, const Place& place, bool strict,
                    std::vector<RuleAt>& out);
// What becomes of bad lines.
struct BadLineTerms {
    bool strict = false;  // they are errors
    bool lenient =
        false;  // of a response policy zone: they are not, though it is read strictly otherwise
    bool match_all = false;  // a rule that covers all names is none
};
// What lists say about a set.
struct ListRules {
    std::vector<RuleAt> names;                 // that are always in it
    std::vector<matchers::AdguardRule> rules;  // the others: exceptions, and rules with a condition

    [[nodiscard]] std::size_t size() const { return names.size() + rules.size(); }
};
// The same for a list in a form of its own, which may be named by a URL.
void read_name_file(Reading& in, const Text& path, const Place& place, const ListUse& use,
                    BadLineTerms terms, matchers::ListForm form, ListRules& out);
// What a reader of lists made of `file`: as take_rules().
void take_names(Reading& in, matchers::NameList names, const BadLineTerms& terms,
                const std::string& file, const Place& place, ListRules& out);
// A file with this many bad lines, and more bad lines than others, is an error: of a list, of a file that operators
// write themselves, and of one whose bad lines are meant to be skipped.
inline constexpr std::size_t kOfList = 1, kOfOperator = 10, kOfLenient = SIZE_MAX;
// Says what is wrong with the lines of a file; `good`: how many lines were not.
void say_bad_lines(Reading& in, const matchers::BadLines& bad, std::size_t good, bool strict,
                   const std::string& file, const Place& place, std::size_t most_bad = kOfList);
// What a reader of lists made of `file`: its rules into `out`, its bad lines into the report.
void take_rules(Reading& in, matchers::RuleList list, bool strict, const std::string& file,
                const Place& place, std::vector<RuleAt>& out, std::size_t most_bad = kOfList);
Error rule_for_all(const matchers::Rule& rule);
// Makes the rules of a list of others that cover all names bad lines. `Listed` has a `rule` and a `line`.
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
// The row `match_all` of plugins that read lists of others, for structs with such a member.
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
// Addresses of a file into persistent rows, under the same rules; never strict.
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
// Compiles every regexp of the settings. An invalid one in a file that is not strict is removed
// from its list.
void check_patterns(Reading& in);

}  // namespace steer::config
