#include "control/config/lists/rules.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "control/config/lists/list_source.h"
#include "control/config/text/dns_names.h"
#include "matchers/list/prefix_list.h"
#include "matchers/list/rule_list.h"
#include "matchers/name_matcher.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

bool plugin_is_strict(const Plugin& plugin) {
    const auto* set = std::get_if<DomainSet>(&plugin.args);
    const auto* hosts = std::get_if<Hosts>(&plugin.args);
    const auto* redirect = std::get_if<Redirect>(&plugin.args);
    return (set != nullptr && set->strict) || (hosts != nullptr && hosts->strict) ||
           (redirect != nullptr && redirect->strict);
}

// What to ask about a file without a good line, or with few.
constexpr std::string_view kOtherFormat = "is it a file of another format?";

// One warning a file: its first bad lines, and how many there are.
std::string examples(const std::vector<Error>& lines, std::size_t count) {
    constexpr std::size_t kShown = 3;
    std::string text = lines.front().text;
    if (count == 1) return text + "; the line is skipped";
    text += "; this and " + std::to_string(count - 1) + " more invalid lines are skipped";
    for (std::size_t i = 1; i < std::min(kShown, lines.size()); ++i) {
        text +=
            (i == 1 ? ": line " : "; line ") + std::to_string(lines[i].line) + ": " + lines[i].text;
    }
    return text;
}

// "rules with $client (9, first at line 4), $ctag (1, ...)".
void say_left_out(Reading& in, const matchers::BadLines& bad, bool strict,
                  const std::string& file) {
    if (bad.left_out().empty()) return;
    std::string kinds;
    for (const auto& kind : bad.left_out()) {
        kinds += (kinds.empty() ? "" : ", ") + kind.kind + " (" + std::to_string(kind.count) +
                 ", first at line " + std::to_string(kind.first) + ")";
    }
    const int line = bad.left_out().front().first;
    if (strict) {
        in.report().error_in(file, line, "unsupported rules: " + kinds);
    } else {
        in.report().warn_in(file, line, "unsupported rules are skipped: " + kinds);
    }
}

using BadPatterns = std::set<std::pair<std::string, int>>;

// Removes invalid regexps from a list of rules. Those in the configuration itself and in strict
// files remain errors.
void remove_bad(std::vector<RuleAt>& rules, const Settings& settings, const BadPatterns& bad) {
    std::erase_if(rules, [&](const RuleAt& r) {
        return r.file != 0 && r.rule.kind == matchers::RuleKind::regexp &&
               bad.contains({settings.files[r.file], r.line});
    });
}

// Also in the records of their lists.
void count_as_bad(Settings& settings, const BadPatterns& bad) {
    for (const auto& [file, line] : bad) {
        for (ReadList& list : settings.lists) {
            if (list.file != file || list.rules == 0) continue;
            --list.rules;
            ++list.bad_lines;
        }
    }
}

bool is_policy_zone(matchers::ListForm form) {
    return form == matchers::ListForm::rpz || form == matchers::ListForm::rpz_passthru;
}

// Whether bad lines are errors in a list of this form: what a response policy zone says and a set of names cannot hold
// would let names through.
bool is_strict(const BadLineTerms& terms, matchers::ListForm form) {
    return is_policy_zone(form) ? !terms.lenient : terms.strict;
}

void append(std::vector<matchers::ListedRule> rules, std::uint32_t file, std::vector<RuleAt>& out) {
    out.reserve(out.size() + rules.size());
    for (auto& listed : rules)
        out.push_back({std::move(listed.rule), file, listed.line, 0});
}

}  // namespace

void say_bad_lines(Reading& in, const matchers::BadLines& bad, std::size_t good, bool strict,
                   const std::string& file, const Place& place, std::size_t most_bad) {
    ReadList& list = list_of(in, file, place);
    list.rules += good;
    list.bad_lines += bad.count();
    list.of_form += bad.of_form();
    list.left_out += bad.left_out_count();
    const auto lines = bad.errors();
    if (strict) {
        for (const Error& line : lines)
            in.report().error_in(line.file, line.line, line.text);
    } else if (!lines.empty()) {
        in.report().warn_in(file, lines.front().line, examples(lines, bad.count()));
    }
    say_left_out(in, bad, strict, file);
    const std::size_t other = bad.stepped_over() + bad.left_out_count();
    if (good + other > 0) {
        // A list of another format, or a page: some of its words would be names.
        const std::size_t odd = bad.count() - bad.of_form();
        if (odd > good + other + bad.of_form() && odd >= most_bad && !strict)
            in.report().error(place.line, std::to_string(bad.count()) + " of the " +
                                              std::to_string(bad.count() + good + other) +
                                              " lines of the file " + matchers::quoted_path(file) +
                                              " in " + place.name() +
                                              " are invalid: " + std::string(kOtherFormat));
        return;
    }
    if (bad.count() > 0) {
        in.report().error(place.line, "no line of the file " + matchers::quoted_path(file) +
                                          " in " + place.name() +
                                          " is valid: " + std::string(kOtherFormat));
    } else {
        in.report().warn(place.line, "the file " + matchers::quoted_path(file) + " in " +
                                         place.name() + " is empty");
    }
}

Result<matchers::Rule> good_rule(std::string_view text) {
    auto rule = matchers::parse_rule(text, matchers::RuleKind::domain);
    if (!rule || rule->kind != matchers::RuleKind::regexp) return rule;
    matchers::NameMatcherBuilder builder;
    builder.add(0, *rule, "", 0);
    std::vector<Error> errors, warnings;
    builder.check(errors, warnings);
    if (!errors.empty()) return Error{errors.front().text};
    return rule;
}

void read_rule(Reading& in, const Text& text, const Place& place, std::vector<RuleAt>& out) {
    auto rule = matchers::parse_rule(text.value, matchers::RuleKind::domain);
    if (rule) {
        out.push_back({*std::move(rule), 0, text.line, 0});
    } else {
        in.report().error(text.line, place.name() + ": " + rule.error().text);
    }
}

void read_rule_file(Reading& in, const Text& path, const Place& place, bool strict,
                    std::vector<RuleAt>& out) {
    const Place at{place.key, place.owner, path.line};
    const auto source = read_list_source(in, path, at, {});
    if (!source) return;
    auto list = matchers::read_rules(source->bytes, source->file, matchers::RuleKind::domain);
    take_rules(in, std::move(list), strict, source->file, at, out, kOfOperator);
}

void read_name_file(Reading& in, const Text& path, const Place& place, const ListUse& use,
                    BadLineTerms terms, matchers::ListForm form, ListRules& out) {
    const Place at{place.key, place.owner, path.line};
    const auto list = read_list_source(in, path, at, use);
    if (!list) return;
    const std::string& file = list->file;
    const auto beside = [&file](std::string_view name) -> std::optional<std::string> {
        auto other = Reading::read_text(
            (std::filesystem::path(file).parent_path() / std::string(name)).string());
        if (!other) return std::nullopt;
        return *std::move(other);
    };
    take_names(in, matchers::read_names(list->bytes, file, form, {beside, parse_qtype}), terms,
               file, at, out);
}

void take_names(Reading& in, matchers::NameList names, const BadLineTerms& terms,
                const std::string& file, const Place& place, ListRules& out) {
    matchers::BadLines& bad = names.list.bad;
    bad.step_over(names.left_out);
    if (!terms.match_all) {
        refuse_rules_for_all(names.list.rules, bad);
        refuse_rules_for_all(names.rules, bad);
    }
    say_bad_lines(in, bad, names.list.rules.size() + names.rules.size(),
                  is_strict(terms, names.form), file, place,
                  is_policy_zone(names.form) && terms.lenient ? kOfLenient : kOfList);
    const std::uint32_t number = in.file_number(file);
    append(std::move(names.list.rules), number, out.names);
    for (matchers::AdguardRule& rule : names.rules) {
        rule.file = number;
        out.rules.push_back(std::move(rule));
    }
}

Error rule_for_all(const matchers::Rule& rule) {
    return Error{"the rule covers all names, as the expression " + matchers::quoted(rule.text) +
                 ": remove it, or write 'match_all: true' if it is meant"};
}

void take_rules(Reading& in, matchers::RuleList list, bool strict, const std::string& file,
                const Place& place, std::vector<RuleAt>& out, std::size_t most_bad) {
    say_bad_lines(in, list.bad, list.rules.size(), strict, file, place, most_bad);
    append(std::move(list.rules), in.file_number(file), out);
}

void take_prefixes(Reading& in, const matchers::PrefixList& list, bool strict,
                   const std::string& file, const Place& place,
                   std::vector<matchers::Prefix>& out) {
    say_bad_lines(in, list.bad, list.prefixes.size(), strict, file, place);
    out.reserve(out.size() + list.prefixes.size());
    for (const auto& listed : list.prefixes)
        out.push_back(listed.prefix);
}

void read_prefix_file(Reading& in, const Text& path, const Place& place,
                      std::vector<PersistentRow>& out) {
    const ResolvedPath resolved = in.resolve(path.value, path.line);
    const std::string& file = resolved.text();
    const Place at{place.key, place.owner, path.line};
    const auto bytes = in.read_file(resolved, at);
    if (!bytes) return;
    const auto list = matchers::read_prefixes(*bytes, file);
    say_bad_lines(in, list.bad, list.prefixes.size(), false, file, at, kOfOperator);
    const std::uint32_t number = in.file_number(file);
    for (const auto& listed : list.prefixes)
        out.push_back({listed.prefix, number, listed.line});
}

void read_prefix_file(Reading& in, const Text& path, const Place& place, const ListUse& use,
                      bool strict, std::vector<matchers::Prefix>& out) {
    const Place at{place.key, place.owner, path.line};
    const auto list = read_list_source(in, path, at, use);
    if (!list) return;
    take_prefixes(in, matchers::read_prefixes(list->bytes, list->file), strict, list->file, at,
                  out);
}

void read_prefix(Reading& in, const Text& text, const Place& place,
                 std::vector<matchers::Prefix>& out) {
    if (const auto prefix = matchers::Prefix::parse(text.value)) {
        out.push_back(*prefix);
    } else {
        in.report().error(text.line, place.name() + ": " + prefix.error().text);
    }
}

void check_patterns(Reading& in) {
    Settings& settings = in.settings();
    matchers::NameMatcherBuilder builder;
    std::set<std::pair<std::uint32_t, int>> strict_lines;
    bool any = false;
    for (Plugin& plugin : settings.plugins) {
        for_each_rules(plugin, [&](const std::vector<RuleAt>& rules) {
            for (const RuleAt& at : rules) {
                if (at.rule.kind != matchers::RuleKind::regexp) continue;
                any = true;
                if (at.file == 0 || plugin_is_strict(plugin))
                    strict_lines.emplace(at.file, at.line);
                builder.add(0, at.rule, settings.files[at.file], at.line);
            }
        });
    }
    if (!any) return;
    std::vector<Error> errors, warnings;
    builder.check(errors, warnings);
    BadPatterns bad;
    std::map<std::string, std::vector<Error>> by_file;
    for (const Error& e : errors) {
        if (strict_lines.contains({in.file_number(e.file), e.line})) {
            in.report().error_in(e.file, e.line, e.text);
        } else if (bad.emplace(e.file, e.line).second) {
            by_file[e.file].push_back(e);
        }
    }
    for (const auto& [file, lines] : by_file)
        in.report().warn_in(file, lines.front().line, examples(lines, lines.size()));
    for (const Error& w : warnings)
        in.report().warn_in(w.file, w.line, w.text);
    if (bad.empty()) return;
    count_as_bad(settings, bad);
    for (Plugin& plugin : settings.plugins) {
        for_each_rules(plugin,
                       [&](std::vector<RuleAt>& rules) { remove_bad(rules, settings, bad); });
    }
}

}  // namespace steer::config
