#include "control/sources/clients/clients_part.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "control/host/process/files_as.h"
#include "control/parts.h"
#include "control/sources/clients/client_state.h"

namespace steer {
namespace {

using clients::ClientService;
using clients::GroupService;

// Empty: leases are not kept, so names and groups are not kept either.
std::string file_beside(const std::string& leases, const char* name) {
    return leases.empty() ? std::string()
                          : (std::filesystem::path(leases).parent_path() / name).string();
}

std::int64_t unix_now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

ClientsPart::ClientsPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      events_(needs.get<Events>()),
      leases_(needs.get<LeasesPart>()) {}

Result<void> ClientsPart::start() {
    const FilesAs files(settings_.user());  // to read its stored files
    const std::string& leases = settings_.get().control.leases;
    const std::string file = file_beside(leases, "clients.json");
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
        [this](std::vector<clients::KnownClient>& out) { add_leases(out); }, unix_now_s);
    groups_ = std::make_unique<GroupService>(
        main_.io(), file_beside(leases, "groups.json"),
        [this]() -> const clients::GivenNames& { return service_->given(); }, unix_now_s);
    return {};
}

void ClientsPart::add_methods(ops::Methods& methods) {
    service_->add_methods(methods);
    groups_->add_methods(methods);
}

void ClientsPart::serve() {
    service_->follow(settings_.get());
}

void ClientsPart::follow(const config::Settings& settings, build::Built& /*built*/) {
    service_->follow(settings);
}

void ClientsPart::write_metrics(ops::MetricWriter& writer) {
    service_->write_metrics(writer);
    groups_->write_metrics(writer);
}

void ClientsPart::add_problems(Problems& problems) {
    groups_->add_problems(problems);
}

void ClientsPart::add_leases(std::vector<clients::KnownClient>& out) const {
    leases_.service().each_known(
        [&out](const std::string& router, const routeros::DhcpLease& lease) {
            const auto address = IpAddress::parse(lease.address);
            if (!address) return;
            // Operators write a device's name into the comment where it sends none.
            const std::string& name = lease.host_name.empty() ? lease.comment : lease.host_name;
            out.push_back({*address, lease.mac, name, clients::NameSource::lease, router});
        });
}

Parts::Maker clients_part() {
    return Parts::maker<ClientsPart>();
}

}  // namespace steer
