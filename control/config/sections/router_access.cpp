#include "control/config/sections/router_access.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

#include "control/config/values.h"
#include "matchers/host_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint16_t kApiPort = 8728, kApiTlsPort = 8729;

void read_anonymous(Reading& in, const Node& node, const Place& place, RouterAccess& out) {
    read_value(in, node, place, {}, out.tls_anonymous);
}

void read_ca(Reading& in, const Node& node, const Place& place, RouterAccess& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    const ResolvedPath file = in.resolve(path, place.line);
    in.read_file(file, place);
    out.tls_ca = file;
}

void read_pin(Reading& in, const Node& node, const Place& place, RouterAccess& out) {
    out.tls_pin = read_fingerprint(in, node, place);
}

constexpr std::array<Row<RouterAccess>, 3> kTlsRows{{
    {"ca", Files<RouterAccess>{"path", read_ca}, "none", "",
     "PEM file with CA certificates for the router; default: the system's"},
    {"pin", Own<RouterAccess>{"SHA-256", read_pin}, "none", "",
     "SHA-256 fingerprint of the router's certificate"},
    {"anonymous", Own<RouterAccess>{"true/false", read_anonymous}, "false", "",
     "the router's api-ssl has no certificate: encrypted, not authenticated"},
}};

}  // namespace

std::string read_fingerprint(Reading& in, const Node& node, const Place& place) {
    std::string text = node.is_text() ? lowered(node.text) : std::string();
    std::erase(text, ':');
    const bool hex = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
    if (hex && text.size() == 64) return text;
    in.report().error(place.line, place.name() +
                                      " is not a SHA-256 fingerprint: expected 64 hex digits, "
                                      "as printed by 'openssl x509 -fingerprint -sha256'");
    return {};
}

void read_tls(Reading& in, const Node& node, const Place& place, RouterAccess& out) {
    out.tls = true;
    if (!node.is_map()) {
        const auto value = node.is_text() ? parse_boolean(node.text) : std::nullopt;
        if (!value) {
            in.report().error(place.line,
                              place.name() + found(node) +
                                  "expected true, false or a map, as in 'tls: { ca: FILE }', 'tls: "
                                  "{ pin: SHA-256 }' or 'tls: { anonymous: true }'");
        }
        out.tls = value.value_or(true);
        return;
    }
    read_rows(in, node, kTlsRows, place.name(), out);
    if (out.tls_anonymous && (!out.tls_ca.empty() || !out.tls_pin.empty())) {
        in.report().error(
            place.line, place.name() + ": 'anonymous' excludes 'ca' and 'pin': remove one of them");
    }
}

void read_cpu_share(Reading& in, const Node& node, const Place& place, RouterAccess& out) {
    constexpr std::uint64_t kMin = 5, kMax = 90;
    auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (node.is_text() && !percent) percent = parse_integer(node.text);
    if (!percent || *percent < kMin || *percent > kMax) {
        in.report().error(place.line,
                          place.name() + found(node) + "expected a percentage, 5%..90%");
        return;
    }
    out.cpu_percent = static_cast<std::uint32_t>(*percent);
}

std::optional<Router> finish_router(Reading& in, const RouterAccess& access,
                                    const std::string& owner, int line) {
    const auto password = find_password(in, access, owner, line);
    Router router;
    const auto target = parse_host_port(access.address, Zones::allowed);
    if (!target) {
        if (!access.address.empty()) {
            in.report().error(line, "'address' of " + owner + " is " +
                                        matchers::quoted(access.address) +
                                        ": expected a router's address, as in 192.0.2.1:8728");
        }
        return std::nullopt;
    }
    if (const std::string missing = missing_zone(target->address, target->zone); !missing.empty()) {
        in.report().error(
            line, "'address' of " + owner + " is " + matchers::quoted(access.address) + missing);
        return std::nullopt;
    }
    if (!password || access.username.empty()) return std::nullopt;
    router.host = target->host + (target->zone.empty() ? "" : "%" + target->zone);
    router.address = target->address;
    router.port = target->port.value_or(access.tls ? kApiTlsPort : kApiPort);
    router.name = matchers::bracketed(router.host) + ":" + std::to_string(router.port);
    router.username = access.username;
    router.password = *password;
    router.tls = access.tls;
    router.tls_ca = access.tls_ca;
    router.tls_pin = access.tls_pin;
    router.tls_anonymous = access.tls_anonymous;
    router.cpu_percent = access.cpu_percent;
    router.scripts = access.scripts;
    router.probe = access.probe;
    router.connect_timeout = access.connect_timeout;
    router.send_timeout = access.send_timeout;
    router.receive_timeout = access.receive_timeout;
    router.repair_connections = access.repair_connections;
    router.line = line;
    if (router.tls_anonymous) {
        in.report().warn(line, owner +
                                   " uses anonymous TLS: an attacker on the path can read its "
                                   "password; add a certificate to api-ssl, and set 'pin' or 'ca'");
    }
    if (router.port == kApiTlsPort && !router.tls) {
        in.report().warn(line,
                         owner + " uses port 8729 without TLS: write 'tls: true', or port 8728");
    }
    return router;
}

std::vector<RowText> tls_row_texts() {
    return row_texts(kTlsRows);
}

std::optional<RouterIndex> find_router(Reading& in, const std::string& name, const Place& place) {
    const auto& routers = in.settings().routers;
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < routers.size(); ++i) {
        if (routers[i].name == name) return static_cast<RouterIndex>(i);
        names.push_back(routers[i].name);
    }
    const std::string hint = did_you_mean(name, names);
    in.report().error(place.line, "there is no router " + matchers::quoted(name) + " in 'routers'" +
                                      (hint.empty() ? ", as " + place.name() + " says" : hint));
    return std::nullopt;
}

std::string servers_file(const Settings& settings, RouterIndex router) {
    const std::string& lists = settings.control.router_lists;
    if (lists.empty()) return {};
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string name;
    for (const char c : settings.routers[router].name) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        const auto byte = static_cast<unsigned char>(c);
        if (is_plain)
            name += c;
        else
            name.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
    return (std::filesystem::path(lists).parent_path() / ("dns-servers-" + name + ".conf"))
        .string();
}

}  // namespace steer::config
