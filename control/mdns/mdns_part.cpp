#include "control/mdns/mdns_part.h"

#include <spdlog/spdlog.h>

#include <boost/json/array.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "control/api/metrics/report_table.h"
#include "control/parts.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

std::uint64_t repeated(const mdns::MdnsCounters& counters) {
    return counters.get(mdns::MdnsCount::repeated) + counters.get(mdns::MdnsCount::legacy_repeated);
}

}  // namespace

MdnsPart::MdnsPart(const Needs& needs)
    : settings_(needs.get<StartSettings>()),
      repeater_(
          needs.get<MainLoop>().io(), [&main = needs.get<MainLoop>()] { return main.now_ms(); },
          [](const std::string& sentence) { spdlog::warn("{}", sentence); }) {
    needs.get<NetworkPart>().on_any_change([this] { repeater_.network_changed(); });
}

void MdnsPart::configure(const config::Settings& settings) {
    const auto& wanted = settings.mdns;
    repeater_.configure(
        {.interfaces = wanted.interfaces,
         .services = mdns::Services({wanted.services.begin(), wanted.services.end()}),
         .v4 = wanted.v4,
         .v6 = wanted.v6});
}

void MdnsPart::add_status(object& all) {
    array interfaces;
    for (const auto& one : repeater_.report()) {
        interfaces.push_back(object{{"name", one.name},
                                    {"ipv4", one.v4},
                                    {"ipv6", one.v6},
                                    {"received", one.counters.get(mdns::MdnsCount::received)},
                                    {"repeated", repeated(one.counters)},
                                    {"sent", one.counters.get(mdns::MdnsCount::sent)},
                                    {"trouble", one.error}});
    }
    if (!interfaces.empty()) all["mdns"] = std::move(interfaces);
}

void MdnsPart::add_counters(object& all) {
    array interfaces;
    for (const auto& one : repeater_.report()) {
        object counts{{"name", one.name}};
        ops::add_counts(counts, mdns::kMdnsCounts, one.counters);
        interfaces.push_back(std::move(counts));
    }
    if (!interfaces.empty()) all["mdns"] = std::move(interfaces);
}

void MdnsPart::write_metrics(ops::MetricWriter& writer) {
    const auto all = repeater_.report();
    if (all.empty()) return;  // a family has samples
    writer.family("steerdns_mdns_repeating");
    for (const auto& one : all) {
        writer.sample({{"interface", one.name}, {"family", "4"}}, std::uint64_t{one.v4 ? 1U : 0U});
        writer.sample({{"interface", one.name}, {"family", "6"}}, std::uint64_t{one.v6 ? 1U : 0U});
    }
    ops::write_counts(
        writer, "steerdns_mdns_", mdns::kMdnsCounts, all,
        [](const mdns::InterfaceReport& one) -> const auto& { return one.counters; },
        [](ops::MetricWriter& out, const mdns::InterfaceReport& one, auto number) {
            out.sample({{"interface", one.name}}, number);
        });
}

Parts::Maker mdns_part() {
    return Parts::maker<MdnsPart>();
}

}  // namespace steer
