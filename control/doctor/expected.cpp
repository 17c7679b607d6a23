#include "control/doctor/expected.h"

#include <algorithm>
#include <variant>

namespace steer::doctor {

std::vector<std::string> Expected::lists(bool v4) const {
    std::vector<std::string> all;
    for (const setup::Egress& egress : plan.egresses) {
        const auto& lists = v4 ? egress.lists4 : egress.lists6;
        all.insert(all.end(), lists.begin(), lists.end());
    }
    return all;
}

std::vector<Expected> expected_of(const config::Settings& settings) {
    const setup::Plan plan = setup::plan_routers(settings);
    std::vector<std::string> prefixes;
    for (const auto& plugin : settings.plugins) {
        const auto* const dns64 = std::get_if<config::Dns64>(&plugin.args);
        if (dns64 == nullptr) continue;
        for (const config::Dns64Prefix& prefix : dns64->prefixes) {
            IpAddress address;
            std::ranges::copy(prefix.prefix.prefix, std::begin(address.bytes));
            std::string text = address.to_string() + "/" + std::to_string(prefix.prefix.length);
            if (std::ranges::count(prefixes, text) == 0) prefixes.push_back(std::move(text));
        }
    }
    std::vector<Expected> all;
    for (const setup::RouterPlan& router : plan.routers)
        all.push_back({router, plan.dns4, plan.dns6, prefixes});
    return all;
}

}  // namespace steer::doctor
