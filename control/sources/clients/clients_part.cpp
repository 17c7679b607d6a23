#include "control/sources/clients/clients_part.h"

#include <chrono>
#include <string>
#include <utility>

#include "control/host/process/files_as.h"
#include "control/parts.h"
#include "control/sources/clients/client_state.h"
#include "matchers/prefix/mac_address.h"
#include "matchers/quote.h"

namespace steer {
namespace {

using clients::ClientService;
using clients::GroupService;

std::int64_t unix_now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

ClientsPart::ClientsPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      events_(needs.get<Events>()),
      workers_(needs.get<WorkersPart>()),
      leases_(needs.get<LeasesPart>()),
      mdns_(needs.get<MdnsPart>()) {}

Result<void> ClientsPart::start() {
    const FilesAs files(settings_.user());  // to read its stored files
    const config::Control& control = settings_.get().control;
    const std::string file = control.beside_leases("clients.json");
    clients::GivenNames given;
    std::string damage;
    if (!file.empty()) {
        std::size_t left_out = 0;
        auto kept = clients::load_names(file, left_out);
        if (!kept) {
            damage = kept.error().sentence();
        } else {
            given = *std::move(kept);
            if (left_out != 0)
                damage = std::to_string(left_out) + " names of '" + file +
                         "' cannot be read; the next change of a name keeps the file as '" + file +
                         ".damaged'";
        }
        if (!damage.empty()) events_.router_log()(routeros::Level::warning, damage);
    }
    service_ = std::make_unique<ClientService>(main_.io(), file, std::move(given), unix_now_s);
    service_->add_source([this](std::vector<clients::KnownClient>& out) { add_leases(out); });
    service_->add_source([this](std::vector<clients::KnownClient>& out) {
        mdns_.each_host([&out](const mdns::NamedHost& host) {
            out.push_back({host.address, {}, host.name, clients::NameSource::mdns, host.link});
        });
    });
    service_->set_damaged(std::move(damage));
    groups_ = std::make_unique<GroupService>(
        main_.io(), workers_.runtime().shared().qsbr, configuration_.registry().device_groups(),
        GroupService::Files{control.beside_leases("groups.json"),
                            control.beside_leases("client_groups.txt")},
        [this]() -> const clients::GivenNames& { return service_->given(); }, unix_now_s);
    events_.shared().push_back(&service_->shared());
    events_.shared().push_back(&groups_->shared());
    return {};
}

void ClientsPart::add_methods(ops::Methods& methods) {
    methods.find_clients_by(
        [this](std::string_view written, ops::ClientAs as) { return service_->find(written, as); });
    service_->add_methods(methods);
    groups_->add_methods(methods);
}

void ClientsPart::serve() {
    follow_settings(settings_.get());
}

void ClientsPart::follow(const config::Settings& settings, build::Built& /*built*/) {
    follow_settings(settings);
}

void ClientsPart::follow_settings(const config::Settings& settings) {
    service_->follow(settings);
    GroupService::Named named;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const devices = std::get_if<config::DeviceMatch>(&plugin.args);
        if (devices == nullptr) continue;
        for (const std::string& group : devices->made)
            named.try_emplace(group, std::string(plugin.type) + " " + matchers::quoted(plugin.tag));
    }
    groups_->follow(std::move(named), settings.control);
}

void ClientsPart::write_metrics(ops::MetricWriter& writer) {
    service_->write_metrics(writer);
    groups_->write_metrics(writer);
}

void ClientsPart::add_problems(Problems& problems) {
    service_->add_problems(problems);
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

std::shared_ptr<const LeaseDevices> ClientsPart::devices() const {
    std::vector<LeaseDevice> all;
    leases_.service().each_known([&all](const std::string&, const routeros::DhcpLease& lease) {
        const auto address = IpAddress::parse(lease.address);
        const auto mac = parse_mac(lease.mac);
        if (!address || !mac) return;
        LeaseDevice device;
        device.address = *address;
        device.mac = *mac;
        all.push_back(std::move(device));
    });
    return std::make_shared<const LeaseDevices>(std::move(all));
}

Result<std::function<bool(const IpAddress&)>> ClientsPart::members_of(
    std::string_view group) const {
    const auto& book = groups_->book();
    const std::string named = book.known_or(group);
    if (auto known = book.check(named); !known) return known.error();
    return std::function<bool(const IpAddress&)>(
        [members = book.devices(named), devices = devices()](const IpAddress& client) {
            return members->has(client, devices->find(client), 0);
        });
}

Parts::Maker clients_part() {
    return Parts::maker<ClientsPart>();
}

}  // namespace steer
