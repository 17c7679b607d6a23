#include "control/doctor/expected.h"

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
    std::vector<Expected> all;
    for (const setup::RouterPlan& router : plan.routers)
        all.push_back({router, plan.dns4, plan.dns6, plan.nat64,
                       setup::features_of(router, !plan.nat64.empty()), false});
    return all;
}

}  // namespace steer::doctor
