// An upstream that `streams` queries (a channel): its address and transport. Created from the
// configuration; immutable. Two that differ in anything except their name have different ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/config/settings/upstream_scheme.h"
#include "control/host/net/tls_trust.h"
#include "matchers/host_text.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/secret.h"

namespace steer::stream {

using config::AddressFamily;
using config::UpstreamScheme;

struct Socks5Proxy {   // RFC 1928
    std::string host;  // a name or an address
    std::uint16_t port = 1080;
    std::string user;  // RFC 1929; both empty: none
    Secret password;
    bool operator==(const Socks5Proxy&) const = default;
};

struct UpstreamTarget {
    std::uint16_t id = 0;  // Upstream::id
    std::string name;      // for people
    UpstreamScheme scheme = UpstreamScheme::udp;
    std::optional<UpstreamScheme> fallback;  // of one over QUIC, while it is not reached
    bool pipeline = false;                   // several queries at a time on a tcp or tls connection
    std::string host;  // name or address: for the certificate and HTTP's authority
    std::string path;  // https and h3: "/dns-query"
    std::uint16_t port = 53;

    std::optional<IpAddress> address;  // no value: `host` must be resolved
    struct Server {
        IpAddress address;
        std::uint16_t port = 53;
        std::string device = {};  // of a link-local address, as below; empty: the upstream's
        bool operator==(const Server&) const = default;
    };
    std::optional<Server> bootstrap;  // resolver for the name; no value: the host's resolvers
    AddressFamily family = AddressFamily::any;
    std::optional<Socks5Proxy> proxy;

    std::uint32_t idle_timeout_ms = 10'000;
    std::uint32_t max_conns = 64, min_conns = 0;  // of each `streams` thread

    bool early_data = false;  // over QUIC (0-RTT)
    TlsTrust trust;

    std::uint32_t mark = 0;  // SO_MARK
    std::string device;      // SO_BINDTODEVICE: an interface by name or number

    // Of HTTP: "dns.example", "dns.example:8443", "[2001:db8::1]".
    [[nodiscard]] std::string authority() const {
        const std::string text = matchers::bracketed(host);
        return port == config::facts_of(scheme).port ? text : text + ":" + std::to_string(port);
    }
    // For people: its address or that of its proxy, with the zone of a link-local one.
    [[nodiscard]] std::string text_of(const IpAddress& its) const {
        const bool has_zone = its.is_link_local() && !device.empty();
        return its.to_string() + (has_zone ? "%" + device : std::string());
    }
};

}  // namespace steer::stream
