#include "control/sources/rules/rule_text.h"

#include <utility>

#include "control/config/reading.h"
#include "matchers/list/rule_list.h"

namespace steer::rules {

FittingRules fitting_rules(const std::string& file, const std::vector<std::string>& rules) {
    FittingRules out;
    out.all = rules.size();
    const auto bytes = config::Reading::read_text(file);
    if (!bytes) {
        out.error = file + " cannot be read: " + bytes.error().text;
        return out;
    }
    out.there = matchers::read_rules(*bytes, file, matchers::RuleKind::domain).rules.size();
    std::vector<RuleChange> good;
    for (const std::string& rule : rules) {
        if (auto change = make_change(true, rule)) good.push_back(*std::move(change));
    }
    const auto edited = edit_rules(*bytes, good);
    if (!edited) {
        out.error = file + ": " + edited.error().text;
        return out;
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        if (edited->changed[i]) {
            out.fresh.push_back(std::move(good[i]));
        } else {
            ++out.unchanged;
        }
    }
    return out;
}

}  // namespace steer::rules
