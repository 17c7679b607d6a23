#include "control/config/lists/list_changes.h"

#include <type_traits>

namespace steer::config {
namespace {

template <class Args>
void drop(Args& args) {
    if constexpr (requires { args.rules.front().rule.kind; }) args.rules = {};
    if constexpr (std::is_same_v<Args, DomainSet>) args.steps = {};
    if constexpr (requires { args.prefixes.front().address; }) args.prefixes = {};
}

}  // namespace

void drop_rules(Settings& settings) {
    for (Plugin& plugin : settings.plugins)
        std::visit([](auto& args) { drop(args); }, plugin.args);
}

}  // namespace steer::config
