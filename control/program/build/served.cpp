#include "control/program/build/build_steps.h"

#include <algorithm>

#include "matchers/prefix/address_steps.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::build {
namespace {

using matchers::Prefix;
using matchers::PrefixSet;

// The first addresses of all ranges with the same result, ascending.
std::vector<IpAddress> beginnings(const std::vector<const std::vector<Prefix>*>& all) {
    std::vector<IpAddress> begins{IpAddress{}};
    const auto add = [&](const Prefix& prefix) {
        begins.push_back(prefix.address);
        const IpAddress next =
            matchers::next(matchers::filled(prefix.address, prefix.length, true));
        if (next != IpAddress{}) begins.push_back(next);
    };
    add(Prefix::masked(IpAddress::from_v4(std::array<std::uint8_t, 4>{}.data()),
                       96));  // a PrefixSet tells families apart
    for (const auto* prefixes : all)
        std::ranges::for_each(*prefixes, add);
    std::ranges::sort(begins);
    begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
    return begins;
}

}  // namespace

std::vector<ServedRange> served_ranges(const config::Settings& settings,
                                       const std::vector<config::RouterIndex>& routers) {
    std::vector<const std::vector<Prefix>*> all{&settings.dataplane.trusted_forwarders};
    std::vector<PrefixSet> serves;
    for (const auto router : routers) {
        all.push_back(&settings.routers[router].serves);
        serves.emplace_back(settings.routers[router].serves);
    }
    const PrefixSet forwarders(settings.dataplane.trusted_forwarders);
    const std::vector<IpAddress> begins = beginnings(all);
    std::vector<ServedRange> ranges;
    for (std::size_t i = 0; i < begins.size(); ++i) {
        ServedRange range{
            begins[i],
            i + 1 < begins.size() ? matchers::previous(begins[i + 1]) : matchers::previous({}),
            {}};
        for (std::size_t r = 0; r < routers.size(); ++r) {
            if (serves[r].empty() || serves[r].contains(range.first))
                range.routers.push_back(routers[r]);
        }
        if (range.routers.empty() || range.routers.size() == routers.size() ||
            forwarders.contains(range.first))
            continue;
        if (!ranges.empty() && matchers::next(ranges.back().last) == range.first &&
            ranges.back().routers == range.routers) {
            ranges.back().last = range.last;
        } else {
            ranges.push_back(std::move(range));
        }
    }
    return ranges;
}

}  // namespace steer::build
