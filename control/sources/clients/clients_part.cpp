// Names of clients, as a part of the daemon.
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/sources/clients/client_service.h"
#include "control/sources/clients/client_state.h"
#include "control/sources/leases/leases_part.h"

namespace steer {
namespace {

using clients::ClientService;

// Empty: leases are not kept, so names are not kept either.
std::string file_beside(const std::string& leases) {
    return leases.empty() ? std::string()
                          : (std::filesystem::path(leases).parent_path() / "clients.json").string();
}

class ClientsPart final : public Part {
  public:
    static constexpr std::string_view kName = "clients";
    using Needs = steer::Needs<MainLoop, StartSettings, Events, LeasesPart>;
    explicit ClientsPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          events_(needs.get<Events>()),
          leases_(needs.get<LeasesPart>()) {}

    Result<void> start() override {
        const FilesAs files(settings_.user());  // to read its stored file
        const std::string file = file_beside(settings_.get().control.leases);
        clients::GivenNames given;
        if (!file.empty()) {
            auto kept = clients::load_names(file);
            if (kept) {
                given = *std::move(kept);
            } else {
                events_.router_log()(routeros::Level::warning, kept.error().sentence());
            }
        }
        service_ = std::make_unique<ClientService>(
            main_.io(), file, std::move(given),
            [this](std::vector<clients::KnownClient>& out) { add_leases(out); },
            [] {
                return std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                    .count();
            });
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override { service_->follow(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override {
        service_->follow(settings);
    }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }

  private:
    void add_leases(std::vector<clients::KnownClient>& out) const {
        leases_.service().each_known(
            [&out](const std::string& router, const routeros::DhcpLease& lease) {
                const auto address = IpAddress::parse(lease.address);
                if (!address) return;
                // Operators write a device's name into the comment where it sends none.
                const std::string& name = lease.host_name.empty() ? lease.comment : lease.host_name;
                out.push_back({*address, lease.mac, name, clients::NameSource::lease, router});
            });
    }

    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    LeasesPart& leases_;
    std::unique_ptr<ClientService> service_;
};

}  // namespace

Parts::Maker clients_part() {
    return Parts::maker<ClientsPart>();
}

}  // namespace steer
