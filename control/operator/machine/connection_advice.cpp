#include "control/operator/machine/connection_advice.h"

#include <optional>

#include "control/api/rpc/peer.h"
#include "control/host/process/descriptor_limit.h"
#include "control/operator/machine/unit.h"
#include "control/program/reload/connection_plan.h"

namespace steer::machine {

std::vector<Error> connection_advice(const config::Settings& settings,
                                     const build::Channels& channels, const std::string& root) {
    std::optional<std::uint64_t> limit;
    if (const auto daemon = ops::listener_at(settings.control.socket))
        limit = descriptor_limit_of(*daemon);
    if (!limit) limit = descriptors_of_unit(root);
    if (!limit) return {};
    const std::string lack =
        lack_of_files(plan_connections(connection_needs(settings, channels), *limit, 0));
    if (lack.empty()) return {};
    return {Error{lack, settings.file, 0}};
}

}  // namespace steer::machine
