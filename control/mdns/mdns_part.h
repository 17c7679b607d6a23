// The mDNS repeater, as a part of the daemon; for parts that need the names of hosts.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string_view>

#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/mdns/mdns.h"
#include "control/part.h"
#include "control/runtime/network_part.h"

namespace steer {

class MdnsPart final : public Part {
  public:
    static constexpr std::string_view kName = "mdns";
    using Needs = steer::Needs<MainLoop, StartSettings, NetworkPart>;
    explicit MdnsPart(const Needs& needs);

    void serve() override { configure(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override { configure(settings); }
    void add_status(boost::json::object& all) override;
    void add_counters(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;

    // The hosts that say their names.
    void each_host(const std::function<void(const mdns::NamedHost&)>& visit) const {
        repeater_.each_host(visit);
    }

  private:
    void configure(const config::Settings& settings);

    const StartSettings& settings_;
    mdns::Mdns repeater_;
};

}  // namespace steer
