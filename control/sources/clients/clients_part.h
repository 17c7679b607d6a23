// Names of clients and groups of devices, for parts that need them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/mdns/mdns_part.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"
#include "control/sources/clients/client_service.h"
#include "control/sources/clients/group_service.h"
#include "control/sources/leases/leases_part.h"

namespace steer {

class ClientsPart final : public Part {
  public:
    static constexpr std::string_view kName = "clients";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart,
                               LeasesPart, MdnsPart>;
    explicit ClientsPart(const Needs& needs);

    Result<void> start() override;
    void add_methods(ops::Methods& methods) override;
    void serve() override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void poll() override {
        service_->poll();
        groups_->poll();
    }

    [[nodiscard]] clients::GroupService& groups() { return *groups_; }
    // The devices with a MAC address, by the leases of now.
    [[nodiscard]] std::shared_ptr<const LeaseDevices> devices() const;
    // Whether a client is in the group, by the members and the leases of now; for any thread.
    // Error: there is no such group.
    [[nodiscard]] Result<std::function<bool(const IpAddress&)>> members_of(
        std::string_view group) const;
    // The MAC address that a source knows of an address; 0: none does.
    [[nodiscard]] std::uint64_t mac_of(const IpAddress& address) const {
        return service_->mac_of(address);
    }
    // Before the first request: another source of names.
    void add_source(clients::ClientService::Known known) { service_->add_source(std::move(known)); }
    // The clients or the group that a person means with the clients of a rule.
    [[nodiscard]] Result<clients::Audience> audience(std::string_view written) const {
        return clients::found_audience(written, groups_->book(),
                                       [this] { return service_->rows(); });
    }

  private:
    void follow_settings(const config::Settings& settings);
    void add_leases(std::vector<clients::KnownClient>& out) const;

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    LeasesPart& leases_;
    MdnsPart& mdns_;
    std::unique_ptr<clients::ClientService> service_;
    std::unique_ptr<clients::GroupService> groups_;  // reads names of `service_`
};

}  // namespace steer
