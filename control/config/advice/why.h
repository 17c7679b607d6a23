// Which rules hold for names, and where they are written.
//
// Goes through all rules of a configuration as they were read, so it costs queries nothing and needs nothing kept for
// it; about as long as reading them takes. Keywords and regexps are tried by the matcher that queries go through, which
// knows no other rules then; that a name is, or is below, another is seen here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::config {

struct HoldingRule {
    enum class Says : std::uint8_t {
        in,       // the name is the plugin's
        not_in,   // an exception of a list, or PASSTHRU of a policy zone: it is not
        not_for,  // a rule that is written beside it does not count for this name ($denyallow)
    };
    PluginIndex plugin = 0;
    Says says = Says::in;
    std::string rule;  // with its kind, as in "domain:stream.example"
    std::string file;
    int line = 0;
    std::uint64_t hits = 0;  // queries for names that it holds for
};

struct AskedName {
    std::vector<std::uint8_t> name;  // lower-cased wire form with the root byte
    std::uint64_t queries = 0;
};

// In the order of plugins and of rules. `settings` come from a configuration without errors; names are unique.
std::vector<HoldingRule> rules_for(const Settings& settings, std::span<const AskedName> names);
// The same for one name as people write it, international ones too; an Error says what is wrong with it.
Result<std::vector<HoldingRule>> rules_for(const Settings& settings, std::string_view name);

// "domain_set 'ads'"; of what is written in place, with its line.
std::string name_of(const Settings& settings, PluginIndex plugin);

// With its kind, as in "domain:stream.example".
std::string rule_text(const matchers::Rule& rule);

// "in", "not in", "not for".
std::string_view text_of(HoldingRule::Says says);

}  // namespace steer::config
