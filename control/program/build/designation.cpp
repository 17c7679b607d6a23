#include "control/program/build/build_steps.h"

#include <algorithm>
#include <string>
#include <utility>

#include "control/config/text/rdata_text.h"
#include "control/streams/listen/server_protocols.h"
#include "dataplane/base/client_transport.h"
#include "dataplane/dns/wire.h"

namespace steer::build {
namespace {

constexpr std::uint32_t kTtlS = 300;
constexpr std::size_t kMaxHints = 8;  // of a family

struct Offer {
    const config::StreamServer* server;
    ClientTransport transport;
    std::string path;  // of DoH
};

std::vector<Offer> offers_of(const config::Settings& settings) {
    std::vector<Offer> offers;
    for (const config::Plugin& plugin : settings.plugins) {
        const config::StreamServer* const server = config::stream_server_of(plugin);
        if (server == nullptr || server->tls.cert.empty()) continue;
        offers.push_back({server, stream::facts_of(server->protocol).secured,
                          server->paths.empty() ? "" : server->paths.front().path});
    }
    std::ranges::stable_sort(offers, {}, [](const Offer& o) { return o.server->protocol; });
    return offers;
}

bool can_be_reached(const IpAddress& address) {
    return !address.is_loopback() && !address.is_link_local();
}

std::string hints(const config::Endpoint& listen, std::span<const IpAddress> own, bool v4) {
    std::string all;
    std::size_t count = 0;
    const auto add = [&](const IpAddress& address) {
        if (address.is_v4() != v4 || count == kMaxHints) return;
        all += (count++ == 0 ? "" : ",") + address.to_string();
    };
    if (!listen.any() && !listen.any_v4()) {
        add(listen.address);
        return all;
    }
    for (const IpAddress& address : own) {
        if (can_be_reached(address) && (listen.any() || address.is_v4())) add(address);
    }
    return all;
}

// One record for the protocols of one port; clients choose among them.
std::string alpn_of(const Offer& offer) {
    std::string all(row_of(offer.transport).alpn);
    if (offer.server->has_http3())
        all.append(",").append(
            row_of(stream::facts_of(config::ServerProtocol::http3).secured).alpn);
    return all;
}

std::vector<config::ZoneWord> words_of(const Offer& offer, std::size_t priority,
                                       const std::string& name, std::span<const IpAddress> own) {
    const config::Endpoint& listen = offer.server->listen;
    std::vector<config::ZoneWord> words{{std::to_string(priority)},
                                        {name + "."},
                                        {"alpn=" + alpn_of(offer)},
                                        {"port=" + std::to_string(listen.port)}};
    if (!offer.path.empty()) words.push_back({"dohpath=" + offer.path + "{?dns}"});
    for (const bool v4 : {true, false}) {
        if (const std::string list = hints(listen, own, v4); !list.empty())
            words.push_back({(v4 ? "ipv4hint=" : "ipv6hint=") + list});
    }
    return words;
}

}  // namespace

Result<std::vector<config::KnownRecord>> designated_resolvers(const config::Settings& settings,
                                                              std::span<const IpAddress> own) {
    std::vector<config::KnownRecord> records;
    if (settings.policy.designated_name.empty()) return records;
    for (const Offer& offer : offers_of(settings)) {
        const auto words =
            words_of(offer, records.size() + 1, settings.policy.designated_name, own);
        auto rdata = config::rdata_of(dns::kSvcb, words, "");
        if (!rdata) return rdata.error();
        records.push_back({dns::kSvcb, dns::kIn, kTtlS, std::move(*rdata)});
    }
    if (records.empty()) {
        return Error{
            "'designated_name' of 'policy' needs a server over TLS or HTTPS: write 'cert' and "
            "'key' "
            "of a tcp_server or http_server, or remove the name"};
    }
    return records;
}

}  // namespace steer::build
