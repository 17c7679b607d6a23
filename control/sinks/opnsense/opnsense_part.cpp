// OPNsense routers, as a part of the daemon.
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/metrics/report_table.h"
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
using boost::json::value;

// An alias and its router.
struct Alias {
    const opnsense::RouterReport& router;
    const opnsense::AliasReport& alias;
};
using AliasRow = ops::ReportRow<Alias>;

std::string_view state_of(const Alias& a) {
    if (a.router.paused) return "paused";
    return a.alias.ready && a.router.reachable && a.alias.error.empty() ? "ready" : "away";
}

constexpr std::array kAliasRows{
    AliasRow{"name", {}, [](const Alias& a) { return value(a.router.name); }},
    AliasRow{"address", {}, [](const Alias& a) { return value(a.router.address); }},
    AliasRow{"alias", {}, [](const Alias& a) { return value(a.alias.name); }},
    AliasRow{"list", {}, [](const Alias& a) { return value(a.alias.tag); }},
    AliasRow{"state", {}, [](const Alias& a) { return value(state_of(a)); }},
    AliasRow{"", "steerdns_alias_ready", [](const Alias& a) { return value(a.alias.ready); }},
    AliasRow{"elements", "steerdns_alias_elements",
             [](const Alias& a) { return value(a.alias.elements); }},
    AliasRow{"owed", {}, [](const Alias& a) { return value(a.alias.pending); }},
    AliasRow{"foreign", "steerdns_alias_foreign_elements",
             [](const Alias& a) { return value(a.alias.foreign); }},
    AliasRow{"trouble",
             {},
             [](const Alias& a) {
                 return value(a.router.error.empty() ? a.alias.error : a.router.error);
             }},
};

// `routers` outlives them.
std::vector<Alias> aliases_of(const std::vector<opnsense::RouterReport>& routers) {
    std::vector<Alias> all;
    for (const auto& router : routers) {
        for (const auto& alias : router.aliases)
            all.push_back({router, alias});
    }
    return all;
}

array rows_of(const std::vector<opnsense::RouterReport>& routers) {
    array all;
    for (const Alias& alias : aliases_of(routers))
        ops::add_members(all.emplace_back(object{}).get_object(), kAliasRows, alias);
    return all;
}

array counters_of(const std::vector<opnsense::RouterReport>& routers) {
    array all;
    for (const Alias& a : aliases_of(routers)) {
        object one{{"name", a.router.name}, {"alias", a.alias.name}};
        ops::add_counts(one, opnsense::kAliasCounters, a.alias.counters);
        all.push_back(std::move(one));
    }
    return all;
}

void add_opnsense(const opnsense::RouterReport& router, Problems& problems) {
    const std::string who = "OPNsense router " + router.name;
    if (!router.error.empty()) return problems.push_back({"routers", who + " " + router.error});
    for (const auto& alias : router.aliases) {
        if (!alias.error.empty())
            problems.push_back({"routers", who + ": alias " + alias.name + " " + alias.error});
    }
}

void write_alias_metrics(ops::MetricWriter& writer,
                         const std::vector<opnsense::RouterReport>& routers) {
    const auto sample = [](ops::MetricWriter& out, const Alias& a, auto number) {
        out.sample({{"router", a.router.name}, {"alias", a.alias.name}}, number);
    };
    const std::vector<Alias> all = aliases_of(routers);
    ops::write_gauges<Alias>(writer, kAliasRows, all, sample);
    ops::write_counts(
        writer, "steerdns_alias_", opnsense::kAliasCounters, all,
        [](const Alias& a) -> const auto& { return a.alias.counters; }, sample);
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
        write_alias_metrics(writer, sinks_->reports());
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
