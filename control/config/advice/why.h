// Finds the rules that match names, and their places in the files.
//
// Checks all rules of a configuration as they were read. So it costs queries nothing and needs no
// stored data. It takes about as long as reading the rules. The matcher for queries tries keywords
// and regexps, with only these rules. Equal names and names below a rule's name are found here.
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
        in,       // the plugin has the name
        not_in,   // an exception of a list, or PASSTHRU of a policy zone, excludes it
        not_for,  // the rule excludes the name ($denyallow)
    };
    PluginIndex plugin = 0;
    Says says = Says::in;
    std::string rule;  // with its kind, as in "domain:stream.example"
    std::string file;
    int line = 0;
    std::uint64_t hits = 0;  // queries for names that match it
};

struct AskedName {
    std::vector<std::uint8_t> name;  // lower-cased wire form with the root byte
    std::uint64_t queries = 0;
};

// In the order of plugins and of rules. `settings`: of a configuration without errors; names are
// unique.
std::vector<HoldingRule> rules_for(const Settings& settings, std::span<const AskedName> names);
// The same for one name in a person's form, also an international one. An Error says what is wrong
// with the name.
Result<std::vector<HoldingRule>> rules_for(const Settings& settings, std::string_view name);

// "domain_set 'ads'"; for a plugin in place, with its line.
std::string name_of(const Settings& settings, PluginIndex plugin);

// A rule with its kind, as in "domain:stream.example".
std::string rule_text(const matchers::Rule& rule);

// "in", "not in", "not for".
std::string_view text_of(HoldingRule::Says says);

}  // namespace steer::config
