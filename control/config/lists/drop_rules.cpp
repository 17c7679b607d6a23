#include "control/config/lists/list_changes.h"

#include <algorithm>
#include <type_traits>

#include "control/config/text/dns_names.h"
#include "control/config/text/record_names.h"

namespace steer::config {
namespace {

// Of each plugin, for the names of clients (control/sources/clients).
constexpr std::size_t kMostNames = 65'536;

bool names_a_client(const Hosts& hosts, const RuleAt& at) {
    return std::ranges::any_of(hosts.addresses[at.value], is_a_client);
}

bool names_a_client(const Arbitrary& records, const RuleAt& at) {
    const auto owner = asked_name(at.rule.text);
    return owner &&
           std::ranges::any_of(records.records[at.value], [&owner](const KnownRecord& record) {
               return name_in_record(*owner, record.type, record.rdata).has_value();
           });
}

template <class Args>
void drop(Args& args) {
    if constexpr (std::is_same_v<Args, Hosts> || std::is_same_v<Args, Arbitrary>) {
        std::erase_if(args.rules, [&args](const RuleAt& at) {
            return at.rule.kind != matchers::RuleKind::full || !names_a_client(args, at);
        });
        if (args.rules.size() > kMostNames) args.rules.resize(kMostNames);
        args.rules.shrink_to_fit();
    } else if constexpr (requires { args.rules.front().rule.kind; }) {
        args.rules = {};
    }
    if constexpr (std::is_same_v<Args, DomainSet>) args.steps = {};
    if constexpr (requires { args.prefixes.front().address; }) args.prefixes = {};
}

}  // namespace

void drop_rules(Settings& settings) {
    for (Plugin& plugin : settings.plugins)
        std::visit([](auto& args) { drop(args); }, plugin.args);
}

}  // namespace steer::config
