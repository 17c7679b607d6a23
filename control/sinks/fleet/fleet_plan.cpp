#include "control/sinks/fleet/fleet_plan.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "matchers/host_text.h"

namespace steer::fleet {
namespace {

// A name that may be part of a key: other characters become '-'.
std::string host_name() {
    std::array<char, 64> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "box";
    std::string text(name.data());
    std::ranges::replace_if(
        text,
        [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' &&
                   c != '.';
        },
        '-');
    return text;
}

routeros::TransportConfig transport(const config::FleetEndpoint& to, const config::Fleet& fleet) {
    routeros::TransportConfig out;
    out.path = to.path;
    out.host = to.host;
    out.port = to.port;
    out.peer = "Redis";
    out.tls.enabled = fleet.tls.enabled;
    out.tls.ca_file = fleet.tls.ca;
    out.tls.pin_sha256 = fleet.tls.pin;
    out.tls.server_name = fleet.tls.server_name;
    out.tls.certificate = fleet.tls.certificate;
    out.tls.key = fleet.tls.key;
    out.connect_timeout_ms = static_cast<std::uint32_t>(fleet.lease.count());
    out.send_timeout_ms = out.connect_timeout_ms;
    return out;
}

}  // namespace

bool has_fleet(const config::Settings& settings) {
    return !settings.fleet.name.empty();
}

std::optional<FleetPlan> fleet_plan(const config::Settings& settings) {
    const config::Fleet& fleet = settings.fleet;
    if (!has_fleet(settings)) return std::nullopt;
    FleetPlan plan;
    plan.name = fleet.name;
    plan.box = fleet.box.empty() ? host_name() : fleet.box;
    plan.lease_ms = static_cast<std::uint64_t>(fleet.lease.count());
    plan.share_tickets = fleet.share_tickets;
    plan.redis = transport(fleet.redis.value_or(config::FleetEndpoint{}), fleet);
    for (const config::FleetEndpoint& sentinel : fleet.sentinels) {
        plan.sentinels.push_back(transport(sentinel, fleet));
        plan.sentinels.back().peer = "the Sentinel";
    }
    plan.master = fleet.master;
    plan.login.username = fleet.username;
    plan.login.password = fleet.password;
    plan.login.must_be_master = !fleet.sentinels.empty();
    return plan;
}

bool is_local(const routeros::TransportConfig& place) {
    return config::FleetEndpoint{.path = place.path, .host = place.host, .port = place.port}
        .is_local();
}

std::string place_text(const routeros::TransportConfig& place) {
    if (!place.path.empty()) return place.path;
    return matchers::bracketed(place.host) + ":" + std::to_string(place.port);
}

}  // namespace steer::fleet
