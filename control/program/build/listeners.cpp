#include "control/program/build/build_steps.h"

#include <algorithm>
#include <string>
#include <utility>

namespace steer::build {
namespace {

StreamService stream_service(const config::StreamServer& server) {
    StreamService service;
    service.protocol = server.protocol;
    service.limits = server;
    service.tls = server.tls;
    service.proxies = server.proxy_protocol;
    return service;
}

static_assert(static_cast<int>(CookieMode::required_under_load) ==
              static_cast<int>(config::ServerCookies::required_under_load));

// In the place of a path: the same address may have a server over TCP.
constexpr const char* kQuic = " over QUIC";

class Listeners {
  public:
    Listeners(const config::Settings& settings, Registry& registry, Frontends& frontends,
              std::vector<Error>& errors)
        : settings_(settings), registry_(registry), frontends_(frontends), errors_(errors) {}

    std::vector<Listener> all() {
        for (const config::Plugin& plugin : settings_.plugins) {
            if (const auto* udp = std::get_if<config::UdpServer>(&plugin.args)) {
                at(udp->listen).udp = true;
                frontends_.datagrams.push_back({udp->listen.address, udp->listen.port,
                                                entry_of(udp->entry),
                                                static_cast<CookieMode>(udp->cookies)});
            } else if (const auto* stream = config::stream_server_of(plugin)) {
                StreamService service = stream_service(*stream);
                const bool is_quic = !stream->is_over_tcp();
                if (stream->paths.empty()) {
                    service.frontend =
                        frontend(stream->listen, is_quic ? kQuic : "", stream->entry, plugin.line);
                } else {
                    service.http = http_site(*stream);
                }
                auto& listener = at(stream->listen);
                if (stream->has_http3()) {
                    listener.quic = service;
                    listener.quic->protocol = config::ServerProtocol::http3;
                    listener.quic->proxies.clear();
                    service.http.alternative =
                        "h3=\":" + std::to_string(stream->listen.port) + "\"";
                }
                (is_quic ? listener.quic : listener.tcp) = std::move(service);
            }
        }
        std::ranges::stable_sort(frontends_.datagrams, {},
                                 [](const Frontends::Datagrams& frontend) {
                                     return width({frontend.address, frontend.port, {}});
                                 });
        frontends_.compare_cookies();
        std::ranges::stable_sort(out_, {}, [](const Listener& l) { return width(l.endpoint); });
        if (out_.empty()) {
            config::Endpoint everywhere;
            everywhere.port = 53;
            out_.push_back({everywhere, true, StreamService{}, {}});
        }
        return std::move(out_);
    }

  private:
    // A server on one address comes before servers on all addresses, which get the other addresses.
    static int width(const config::Endpoint& endpoint) {
        return endpoint.any() ? 2 : endpoint.any_v4() ? 1 : 0;
    }
    Listener& at(const config::Endpoint& endpoint) {
        const auto same = std::ranges::find_if(out_, [&](const Listener& l) {
            return l.endpoint.address == endpoint.address && l.endpoint.port == endpoint.port &&
                   l.endpoint.zone == endpoint.zone;
        });
        if (same != out_.end()) return *same;
        Listener& fresh = out_.emplace_back();
        fresh.endpoint = endpoint;
        return fresh;
    }

    HttpSite http_site(const config::StreamServer& server) {
        HttpSite site;
        for (const config::HttpPath& path : server.paths) {
            site.paths.push_back({path.path, path.json_api});
            site.frontends.push_back(frontend(server.listen, path.path, path.exec, path.line));
        }
        site.client_header = server.src_ip_header;
        site.trusted = server.trusted_proxies;
        return site;
    }

    [[nodiscard]] std::uint8_t entry_of(config::PluginIndex plugin) const {
        const auto at = std::ranges::find(settings_.entries, plugin);
        return static_cast<std::uint8_t>(at - settings_.entries.begin());
    }

    // `path`: of HTTP; empty: the whole server.
    std::uint16_t frontend(const config::Endpoint& listen, const std::string& path,
                           config::PluginIndex entry, int line) {
        const auto number = registry_.frontend(listen.to_string() + path);
        if (!number) {
            errors_.push_back(settings_.error(line, number.error().text));
            return 0;
        }
        if (frontends_.streams.size() <= *number) frontends_.streams.resize(*number + 1U);
        frontends_.streams[*number] = entry_of(entry);
        return *number;
    }

    const config::Settings& settings_;
    Registry& registry_;
    Frontends& frontends_;
    std::vector<Error>& errors_;
    std::vector<Listener> out_;
};

}  // namespace

std::vector<Listener> listen(const config::Settings& settings, Registry& registry,
                             Frontends& frontends, std::vector<Error>& errors) {
    return Listeners(settings, registry, frontends, errors).all();
}

}  // namespace steer::build
