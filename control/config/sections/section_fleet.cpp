// `fleet:`: several appliances that share their claims over Redis.
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "control/config/sections/password.h"
#include "control/config/sections/router_access.h"
#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint16_t kRedisPort = 6379, kSentinelPort = 26379;
constexpr std::size_t kLongestName = 63;
constexpr std::size_t kLongestPath = 107;  // sun_path

struct FleetArgs : PasswordText {
    Fleet fleet;
    std::string redis;
    std::vector<Text> sentinels;
    Milliseconds lease{1500};
    bool share_tickets = true;
};

// A part of Redis's keys, and of comments on routers.
void read_name(Reading& in, const Node& node, const Place& place, std::string& out) {
    std::string name;
    if (!read_value(in, node, place, {}, name)) return;
    const bool is_plain = std::ranges::all_of(name, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    });
    if (!is_plain || name.empty() || name.size() > kLongestName) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(name) +
                                          ": expected at most 63 letters, digits, '-', '_' and "
                                          "'.', as in pop1");
        return;
    }
    out = std::move(name);
}

void read_fleet_name(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    read_name(in, node, place, out.fleet.name);
}
void read_box(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    read_name(in, node, place, out.fleet.box);
}
void read_sentinels(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    out.sentinels = read_texts(in, node, place);
    if (node.is_list() && node.items.empty())
        in.report().error(place.line, place.name() + " is empty: write addresses of Sentinels");
}
void read_master(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    read_value(in, node, place, {}, out.fleet.master);
}
void read_username(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    read_value(in, node, place, {}, out.fleet.username);
}
void read_fleet_password(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    read_password(in, node, place, out);
}

void read_fleet_password_file(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    read_password_file(in, node, place, out);
}

template <auto Member>
void read_tls_file(Reading& in, const Node& node, const Place& place, FleetTls& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    const ResolvedPath file = in.resolve(path, place.line);
    in.read_file(file, place);
    out.*Member = file;
}

void read_tls_pin(Reading& in, const Node& node, const Place& place, FleetTls& out) {
    out.pin = read_fingerprint(in, node, place);
}

constexpr std::array<Row<FleetTls>, 5> kFleetTlsRows{{
    {"ca", Files<FleetTls>{"path", read_tls_file<&FleetTls::ca>}, "none", "",
     "PEM file with CA certificates for Redis; default: the system's"},
    {"pin", Own<FleetTls>{"SHA-256", read_tls_pin}, "none", "",
     "SHA-256 fingerprint of Redis's certificate"},
    {"server_name", &FleetTls::server_name, "none", "",
     "name that the certificate must have; default: the host in `redis`\nSentinels report "
     "addresses. So write the name, if the certificate has none of these addresses."},
    {"certificate", Files<FleetTls>{"path", read_tls_file<&FleetTls::certificate>}, "none", "",
     "PEM file with this box's certificate, if Redis asks for one"},
    {"key", Files<FleetTls>{"path", read_tls_file<&FleetTls::key>}, "none", "",
     "PEM file with its private key; the user of the daemon reads it at each connection"},
}};

void read_fleet_tls(Reading& in, const Node& node, const Place& place, FleetArgs& out) {
    FleetTls& tls = out.fleet.tls;
    tls.enabled = true;
    if (!node.is_map()) {
        const auto value = node.is_text() ? parse_boolean(node.text) : std::nullopt;
        if (!value) {
            in.report().error(place.line, place.name() + found(node) +
                                              "expected true, false or a map, as in 'tls: { ca: "
                                              "FILE }'");
        }
        tls.enabled = value.value_or(true);
        return;
    }
    read_rows(in, node, kFleetTlsRows, place.name(), tls);
    if (tls.certificate.empty() != tls.key.empty()) {
        in.report().error(place.line,
                          place.name() + " has only one of 'certificate' and 'key': write both");
    }
}

constexpr std::array<Row<FleetArgs>, 12> kFleetRows{{
    {"name", Own<FleetArgs>{"text", read_fleet_name}, "required", "",
     "name of the fleet, the same on all boxes\nFleets that share a Redis need different names."},
    {"box", Own<FleetArgs>{"text", read_box}, "(host name)", "",
     "name of this appliance, different on each box"},
    {"redis", &FleetArgs::redis, "none", "",
     "address and port of Redis, as in `192.0.2.10:6379`, or the path of its Unix socket"},
    {"sentinels", Own<FleetArgs>{"list of addresses", read_sentinels}, "none", "",
     "instead of `redis`: addresses of Redis Sentinels, as in `[192.0.2.11:26379]`\nEach "
     "connection begins with a question to a Sentinel, so that it leads to the present master. A "
     "Sentinel with a password gets the same login as Redis."},
    {"master", Own<FleetArgs>{"text", read_master}, "none", "",
     "name of the master in the configuration of the Sentinels"},
    {"username", Own<FleetArgs>{"text", read_username}, "none", "",
     "user of Redis's ACL; default: the default user"},
    {"password", Own<FleetArgs>{"text", read_fleet_password}, "none", "",
     "password of the user\nA Redis that is not on this machine must have a password, or ask for "
     "client certificates. A Redis that obeys without either is refused."},
    {"password_file", Files<FleetArgs>{"path", read_fleet_password_file}, "none", "",
     "file whose first line is the password"},
    {"password_env", &FleetArgs::password_env, "none", "",
     "environment variable that contains the password"},
    {"tls", Own<FleetArgs>{"map or true/false", read_fleet_tls}, "false", "",
     "connect to Redis and Sentinels over TLS, see below"},
    {"lease", &FleetArgs::lease, "1500ms", "500ms..10s",
     "how long a writer of a router stays the writer without contact to Redis\nA shorter lease "
     "makes failover faster. It must be longer than pauses of Redis and of the network. All boxes "
     "need the same value."},
    {"share_tickets", &FleetArgs::share_tickets, "true", "",
     "share the keys of TLS session tickets\nA client can then resume its session on another box. "
     "The keys are encrypted with the private key of the server's certificate. So boxes with the "
     "same certificate share them, and Redis cannot read them."},
}};

std::optional<FleetEndpoint> parse_redis(Reading& in, std::string_view text, int line,
                                         std::string_view place, std::uint16_t port) {
    const auto refuse = [&](const std::string& expected) {
        in.report().error(
            line, std::string(place) + " is " + matchers::quoted(text) + ": expected " + expected);
        return std::nullopt;
    };
    if (text.find("://") != std::string_view::npos)
        return refuse(
            "an address without a scheme, as in 192.0.2.10:6379; write 'tls: true' for "
            "TLS");
    if (text.starts_with('/')) {
        if (text.size() > kLongestPath) return refuse("a path of at most 107 characters");
        return FleetEndpoint{.path = std::string(text)};
    }
    const auto parts = parse_host_port(text);
    if (!parts) return refuse("an address and a port, as in 192.0.2.10:6379");
    FleetEndpoint out;
    out.host = parts->host;
    out.port = parts->port.value_or(port);
    return out;
}

bool is_ours(const FleetArgs& args) {
    const auto is_local = [](const FleetEndpoint& e) { return e.is_local(); };
    return args.fleet.redis ? is_local(*args.fleet.redis)
                            : std::ranges::all_of(args.fleet.sentinels, is_local);
}

void check_places(Reading& in, const Node& node, int line, FleetArgs& args) {
    Fleet& fleet = args.fleet;
    const auto line_of = [&](std::string_view key) {
        const Node* const at = node.find(key);
        return at == nullptr ? line : at->line;
    };
    const auto refuse = [&](int at, const std::string& text) { in.report().error(at, text); };
    if (!args.redis.empty())
        fleet.redis =
            parse_redis(in, args.redis, line_of("redis"), "'redis' of 'fleet'", kRedisPort);
    for (const Text& text : args.sentinels) {
        const auto one =
            parse_redis(in, text.value, text.line, "a Sentinel in 'fleet'", kSentinelPort);
        if (one) fleet.sentinels.push_back(*one);
    }
    if (args.redis.empty() && args.sentinels.empty()) {
        return refuse(line,
                      "'fleet' has no Redis: write 'redis', as in 192.0.2.10:6379, or 'sentinels' "
                      "and 'master'");
    }
    if (!args.redis.empty() && !args.sentinels.empty())
        return refuse(line_of("redis"),
                      "'fleet' has 'redis' and 'sentinels': Sentinels say where Redis is; remove "
                      "one of them");
    if (fleet.master.empty() != args.sentinels.empty())
        return refuse(line, "'fleet' has only one of 'sentinels' and 'master': write both");
    if (!fleet.redis && fleet.sentinels.empty()) return;  // refused above
    const bool has_login = args.is_given() || !fleet.tls.certificate.empty();
    if (!has_login && !is_ours(args)) {
        refuse(line_of(fleet.redis ? "redis" : "sentinels"),
               "'fleet' uses a Redis on another machine without a login, so anyone there could "
               "change the claims: write 'password', or 'certificate' and 'key' in 'tls'");
    }
    if (!fleet.username.empty() && !args.is_given())
        refuse(line_of("username"), "'username' of 'fleet' needs a password: write 'password'");
}

}  // namespace

bool FleetEndpoint::is_local() const {
    if (!path.empty()) return true;
    const auto address = IpAddress::parse(host);
    return address ? address->is_loopback() : host == "localhost";
}

void read_fleet(Reading& in, const Node& node, int line) {
    if (line == 0) return;
    FleetArgs args;
    if (!read_rows(in, node, kFleetRows, "'fleet'", args)) return;
    check_places(in, node, line, args);
    if (args.is_given()) {
        const Node* const at = node.find("password");
        args.fleet.password = find_password(in, args, "'fleet'", at == nullptr ? line : at->line)
                                  .value_or(std::string());
    }
    args.fleet.lease = args.lease;
    args.fleet.share_tickets = args.share_tickets;
    args.fleet.line = line;
    in.settings().fleet = std::move(args.fleet);
}

std::vector<RowText> fleet_row_texts() {
    return row_texts(kFleetRows);
}

std::vector<RowText> fleet_tls_row_texts() {
    return row_texts(kFleetTlsRows);
}

}  // namespace steer::config
