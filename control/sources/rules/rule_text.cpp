#include "control/sources/rules/rule_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "control/config/lists/rules.h"
#include "matchers/list/lines.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::rules {
namespace {

using Key = std::pair<matchers::RuleKind, std::string>;

Key key_of(const matchers::Rule& rule) {
    return {rule.kind, rule.text};
}

}  // namespace

Result<RuleChange> make_change(bool add, std::string_view text) {
    const std::string line(matchers::trimmed(text));
    auto rule = config::good_rule(line);
    if (!rule) return std::move(rule).error();
    const auto listed = matchers::read_rules(line, "", matchers::RuleKind::domain);
    if (listed.rules.size() != 1 || listed.bad.count() != 0 ||
        line.find('\n') != std::string::npos || key_of(listed.rules[0].rule) != key_of(*rule)) {
        return Error{"the rule " + matchers::quoted(line) +
                     " cannot be a line of a file: write it without a '#' at its start and without "
                     "line ends"};
    }
    return {boost::system::in_place_value, RuleChange{add, line, *std::move(rule)}};
}

bool EditedRules::any() const {
    return std::find(changed.begin(), changed.end(), true) != changed.end();
}

Result<EditedRules> edit_rules(std::string_view bytes, std::span<const RuleChange> changes) {
    if (auto error = matchers::not_utf8(bytes)) return *std::move(error);
    std::map<Key, std::vector<int>> lines;  // where each rule stands
    for (const auto& listed : matchers::read_rules(bytes, "", matchers::RuleKind::domain).rules)
        lines[key_of(listed.rule)].push_back(listed.line);
    std::set<int> removed;
    std::vector<std::pair<Key, std::string_view>> added;
    EditedRules out;
    out.changed.reserve(changes.size());
    for (const RuleChange& change : changes) {
        const Key key = key_of(change.rule);
        const auto there = lines.find(key);
        const auto fresh =
            std::find_if(added.begin(), added.end(), [&](const auto& a) { return a.first == key; });
        const bool is_there = there != lines.end() || fresh != added.end();
        out.changed.push_back(is_there != change.add);
        if (!out.changed.back()) continue;
        if (change.add) {
            added.emplace_back(key, change.text);
        } else if (there != lines.end()) {
            removed.insert(there->second.begin(), there->second.end());
            lines.erase(there);
        } else {
            added.erase(fresh);
        }
    }
    int number = 0;
    while (!bytes.empty()) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
        if (!removed.contains(++number)) out.bytes.append(bytes.substr(0, end));
        bytes.remove_prefix(end);
    }
    if (!added.empty() && !out.bytes.empty() && out.bytes.back() != '\n') out.bytes += '\n';
    for (const auto& [_, text] : added)
        out.bytes.append(text).append("\n");
    // The first line may have been the only evidence of the format.
    if (matchers::not_utf8(out.bytes)) {
        return Error{
            "what would be left of the file begins as UTF-16 does: look for odd bytes at the start "
            "of its lines"};
    }
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace steer::rules
