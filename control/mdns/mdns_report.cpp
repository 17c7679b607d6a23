#include "control/mdns/mdns_report.h"

#include <boost/json/array.hpp>

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

std::vector<mdns::InterfaceReport> report_of(const mdns::Mdns* mdns) {
    return mdns == nullptr ? std::vector<mdns::InterfaceReport>{} : mdns->report();
}

std::uint64_t repeated(const mdns::MdnsCounters& counters) {
    return counters.get(mdns::MdnsCount::repeated) + counters.get(mdns::MdnsCount::legacy_repeated);
}

}  // namespace

void add_mdns_status(object& all, const mdns::Mdns* mdns) {
    array interfaces;
    for (const auto& one : report_of(mdns)) {
        interfaces.push_back(object{{"name", one.name},
                                    {"ipv4", one.v4},
                                    {"ipv6", one.v6},
                                    {"received", one.counters.get(mdns::MdnsCount::received)},
                                    {"repeated", repeated(one.counters)},
                                    {"sent", one.counters.get(mdns::MdnsCount::sent)},
                                    {"trouble", one.trouble}});
    }
    if (!interfaces.empty()) all["mdns"] = std::move(interfaces);
}

void add_mdns_counters(object& all, const mdns::Mdns* mdns) {
    array interfaces;
    for (const auto& one : report_of(mdns)) {
        object counts{{"name", one.name}};
        for (std::size_t i = 0; i < mdns::kMdnsLabels.size(); ++i)
            counts[mdns::kMdnsLabels[i]] = one.counters.counts[i];
        interfaces.push_back(std::move(counts));
    }
    if (!interfaces.empty()) all["mdns"] = std::move(interfaces);
}

void write_mdns_metrics(ops::MetricWriter& writer, const mdns::Mdns* mdns) {
    const auto all = report_of(mdns);
    if (all.empty()) return;  // a family has samples
    writer.family("steerdns_mdns_repeating");
    for (const auto& one : all) {
        writer.sample({{"interface", one.name}, {"family", "4"}}, std::uint64_t{one.v4 ? 1U : 0U});
        writer.sample({{"interface", one.name}, {"family", "6"}}, std::uint64_t{one.v6 ? 1U : 0U});
    }
    for (std::size_t i = 0; i < mdns::kMdnsLabels.size(); ++i) {
        writer.counter("steerdns_mdns_" + std::string(mdns::kMdnsLabels[i]), mdns::kMdnsTexts[i]);
        for (const auto& one : all)
            writer.sample({{"interface", one.name}}, one.counters.counts[i]);
    }
}

}  // namespace steer
