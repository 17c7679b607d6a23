// OPNsense routers, as a part of the daemon.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/events.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/sinks/opnsense/router_sinks.h"
#include "control/sinks/routers/routers_part.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

array rows_of(const std::vector<opnsense::RouterReport>& routers) {
    array all;
    for (const auto& router : routers) {
        for (const auto& alias : router.aliases) {
            const bool works = alias.ready && router.reachable && alias.trouble.empty();
            all.push_back(
                object{{"name", router.name},
                       {"address", router.address},
                       {"alias", alias.name},
                       {"list", alias.tag},
                       {"state", router.paused ? "paused"
                                 : works       ? "ready"
                                               : "away"},
                       {"elements", alias.elements},
                       {"owed", alias.pending},
                       {"foreign", alias.foreign},
                       {"trouble", router.trouble.empty() ? alias.trouble : router.trouble}});
        }
    }
    return all;
}

array counters_of(const std::vector<opnsense::RouterReport>& routers) {
    array all;
    for (const auto& router : routers) {
        for (const auto& alias : router.aliases) {
            object one{{"name", router.name}, {"alias", alias.name}};
            for (const auto& counter : opnsense::kAliasCounters)
                one[counter.label] = alias.counters.*counter.which;
            all.push_back(std::move(one));
        }
    }
    return all;
}

void add_opnsense(const opnsense::RouterReport& router, Problems& problems) {
    const std::string who = "OPNsense router " + router.name;
    if (!router.trouble.empty()) return problems.push_back({"routers", who + " " + router.trouble});
    for (const auto& alias : router.aliases) {
        if (!alias.trouble.empty())
            problems.push_back({"routers", who + ": alias " + alias.name + " " + alias.trouble});
    }
}

void write_opnsense_metrics(ops::MetricWriter& writer,
                            const std::vector<opnsense::RouterReport>& routers) {
    const auto each = [&](auto value_of) {
        for (const auto& router : routers) {
            for (const auto& alias : router.aliases)
                writer.sample({{"router", router.name}, {"alias", alias.name}}, value_of(alias));
        }
    };
    if (std::ranges::all_of(routers, [](const auto& router) { return router.aliases.empty(); }))
        return;  // a family has samples
    writer.family("steerdns_alias_ready");
    each([](const auto& alias) { return std::uint64_t{alias.ready ? 1U : 0U}; });
    writer.family("steerdns_alias_elements");
    each([](const auto& alias) { return std::uint64_t{alias.elements}; });
    writer.family("steerdns_alias_foreign_elements");
    each([](const auto& alias) { return std::uint64_t{alias.foreign}; });
    for (const auto& counter : opnsense::kAliasCounters) {
        writer.counter("steerdns_alias_" + std::string(counter.label), counter.text);
        each([&](const auto& alias) { return alias.counters.*counter.which; });
    }
}

class OpnsensePart final : public Part {
  public:
    static constexpr std::string_view kName = "opnsense";
    using Needs = steer::Needs<MainLoop, Configuration, Events, RoutersPart>;
    explicit OpnsensePart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          configuration_(needs.get<Configuration>()),
          events_(needs.get<Events>()),
          routers_(needs.get<RoutersPart>()) {}

    Result<void> start() override {
        routers_.on_start([this](RouterThread& thread) {
            sinks_ = std::make_unique<opnsense::RouterSinks>(thread, main_.clock(),
                                                             events_.router_log());
            sinks_->configure(configuration_.built().opnsense);
        });
        routers_.on_follow([this](const config::Settings&, build::Built& built) {
            return [sinks = sinks_.get(), plans = std::move(built.opnsense)] {
                sinks->configure(plans);
            };
        });
        routers_.set_other_rows([this] { return rows_of(sinks_->reports()); });
        return {};
    }
    void add_status(object& all) override {
        if (array aliases = rows_of(sinks_->reports()); !aliases.empty())
            all["opnsense"] = std::move(aliases);
    }
    void add_counters(object& all) override {
        if (array aliases = counters_of(sinks_->reports()); !aliases.empty())
            all["opnsense"] = std::move(aliases);
    }
    void write_metrics(ops::MetricWriter& writer) override {
        write_opnsense_metrics(writer, sinks_->reports());
    }
    void add_problems(Problems& problems) override {
        for (const auto& router : sinks_->reports())
            add_opnsense(router, problems);
    }

  private:
    MainLoop& main_;
    Configuration& configuration_;
    Events& events_;
    RoutersPart& routers_;
    std::unique_ptr<opnsense::RouterSinks> sinks_;  // of the thread
};

}  // namespace

Parts::Maker opnsense_part() {
    return Parts::maker<OpnsensePart>();
}

}  // namespace steer
