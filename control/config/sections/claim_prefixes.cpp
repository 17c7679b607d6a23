#include "control/config/sections/claim_prefixes.h"

namespace steer::config {

std::vector<matchers::Prefix> read_never_claim(Reading& in, const Node& node, const Place& place) {
    if (node.is_list() && node.items.empty()) {
        in.report().warn(
            place.line, place.name() +
                            " is []: private and other special-purpose addresses are claimed; "
                            "remove it, and write those that are wanted in 'allow_claim', such as "
                            "[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7]");
    }
    return read_prefixes(in, node, place);
}

}  // namespace steer::config
