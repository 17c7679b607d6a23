// Adds a rule (the input up to a line end) to a rule file of any bytes (the rest), and removes it: an added rule is in the
// file, a removed one is not, and no other line changes. The whole input is read as a file of origins, too.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../require.h"
#include "control/sources/rules/rule_origins.h"
#include "control/sources/rules/rule_text.h"

using namespace steer;

namespace {

std::size_t count_of(std::string_view bytes, const matchers::Rule& rule) {
    const auto rules = matchers::read_rules(bytes, "", matchers::RuleKind::domain).rules;
    return static_cast<std::size_t>(std::count_if(rules.begin(), rules.end(), [&](const auto& r) {
        return r.rule.kind == rule.kind && r.rule.text == rule.text;
    }));
}

std::size_t all_in(std::string_view bytes) {
    return matchers::read_rules(bytes, "", matchers::RuleKind::domain).rules.size();
}

rules::EditedRules edit(std::string_view bytes, const rules::RuleChange& change) {
    const std::array changes{change};
    auto edited = rules::edit_rules(bytes, changes);
    REQUIRE(edited.has_value());
    return *std::move(edited);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    if (const auto origins = rules::parse_rule_origins(all))
        REQUIRE(*rules::parse_rule_origins(rules::rule_origins_text(*origins)) == *origins);
    const auto end = std::min(all.find('\n'), size);
    const std::string_view text = all.substr(0, end), bytes = all.substr(std::min(end + 1, size));
    const auto change = rules::make_change(true, text);
    if (!change) {
        REQUIRE(!change.error().text.empty());
        return 0;
    }
    rules::RuleChange removal = *change;
    removal.add = false;
    const std::array both{*change, removal};
    if (!rules::edit_rules(bytes, both)) return 0;  // no text
    const std::size_t before = count_of(bytes, change->rule), others = all_in(bytes) - before;
    const auto added = edit(bytes, *change);
    REQUIRE(added.any() == (before == 0));
    REQUIRE(count_of(added.bytes, change->rule) == std::max<std::size_t>(before, 1));
    REQUIRE(added.bytes.starts_with(bytes) &&
            all_in(added.bytes) == others + std::max<std::size_t>(before, 1));
    REQUIRE(!edit(added.bytes, *change).any());
    const auto removed = edit(added.bytes, removal);
    REQUIRE(removed.any() && count_of(removed.bytes, change->rule) == 0);
    REQUIRE(all_in(removed.bytes) == others && !edit(removed.bytes, removal).any());
    return 0;
}
