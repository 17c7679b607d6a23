// What the program decides about one name: whether matchers and adlists hold it, by the masks of the program itself.
//
// Compiles only the rules that match the name, so the cost does not depend on the length of lists beyond one pass.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "control/config/advice/why.h"
#include "control/config/settings.h"

namespace steer::build {

// The types of questions for which a name is held.
struct HeldTypes {
    bool others = false;                  // all types but those of `except`
    std::vector<std::uint16_t> except{};  // for which it is the other way
    [[nodiscard]] bool none() const { return !others && except.empty(); }
};

class NameVerdict {
  public:
    // `rules`: what config::rules_for(settings, name) finds.
    NameVerdict(const config::Settings& settings, std::span<const config::HoldingRule> rules,
                std::string_view name);

    // Whether a `qname`, a `question` or an `adlist` acts on questions for the name. No value: another plugin, or more than
    // a program can have.
    [[nodiscard]] std::optional<HeldTypes> of(config::PluginIndex plugin) const;

  private:
    config::Settings settings_;  // only these rules
    std::vector<std::uint8_t> name_;
};

}  // namespace steer::build
