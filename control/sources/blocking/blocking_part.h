// Rules that people add while the daemon serves, as a part of the daemon; for parts that explain.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "control/api/rpc/events.h"
#include "control/cache/cache_part.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"
#include "control/sources/blocking/blocking_service.h"
#include "control/sources/clients/clients_part.h"

namespace steer {

class BlockingPart final : public Part {
  public:
    static constexpr std::string_view kName = "blocking";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart,
                               CachePart, ClientsPart>;
    explicit BlockingPart(const Needs& needs);

    Result<void> start() override;
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void poll() override { service_->poll(); }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }
    void add_problems(Problems& problems) override { service_->add_problems(problems); }

    [[nodiscard]] const blocking::BlockingService& service() const { return *service_; }
    // BlockingService::about(), with the MAC address that is known of the client.
    [[nodiscard]] boost::json::array about(std::string_view name,
                                           const std::optional<IpAddress>& client) const {
        return service_->about(name, client, client ? clients_.mac_of(*client) : 0);
    }

    // BlockingService::deciding(), as above.
    [[nodiscard]] std::uint32_t deciding(std::string_view name, const IpAddress& client) const {
        return service_->deciding(name, client, clients_.mac_of(client));
    }

  private:
    void follow_settings(const config::Settings& settings);

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    CachePart& cache_;
    ClientsPart& clients_;
    std::unique_ptr<blocking::BlockingService> service_;
};

}  // namespace steer
