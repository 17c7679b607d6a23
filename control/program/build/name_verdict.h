// The program's decision about one name: whether matchers and adlists match it, with the masks of
// the program.
//
// Compiles only the rules that match the name. So long lists cost only one pass.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "control/config/advice/why.h"
#include "control/config/settings.h"

namespace steer::build {

// The query types for which a name matches.
struct HeldTypes {
    bool others = false;                  // all types except those in `except`
    std::vector<std::uint16_t> except{};  // types with the opposite result
    [[nodiscard]] bool none() const { return !others && except.empty(); }
};

class NameVerdict {
  public:
    // `rules`: the result of config::rules_for(settings, name).
    NameVerdict(const config::Settings& settings, std::span<const config::HoldingRule> rules,
                std::string_view name);

    // Whether a `qname`, a `question` or an `adlist` matches questions for the name. No value:
    // another plugin, or more than a program can have.
    [[nodiscard]] std::optional<HeldTypes> of(config::PluginIndex plugin) const;

  private:
    config::Settings settings_;  // with only these rules
    std::vector<std::uint8_t> name_;
};

}  // namespace steer::build
