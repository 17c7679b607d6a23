// A listening TCP service: its protocol, limits and trust. Created before the first client and
// constant from then on (except the certificates in `tls`, which are renewed). One for all
// addresses of a server plugin and all threads, so that its limits apply to the total.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "control/config/settings/server_limit_settings.h"
#include "control/config/settings/server_protocol.h"
#include "control/streams/base/client_counts.h"
#include "control/streams/http/http_site.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::stream {

class TlsServer;

struct Service {
    config::ServerProtocol protocol = config::ServerProtocol::dns;
    config::ServerLimits limits{};
    std::shared_ptr<TlsServer> tls{};  // nullptr: plain
    std::uint16_t frontend = 0;        // without paths: dataplane/policy/frontends.h
    HttpSite http{};                   // of HTTP
    // Proxies that send a PROXY header first, which is trusted.
    matchers::PrefixSet proxies{};
    // The client that a connection of `peer` counts for. An HTTP proxy's connections count for no
    // client.
    [[nodiscard]] IpAddress counted_as(const IpAddress& peer) const {
        return http.trusts(peer) ? IpAddress{} : peer;
    }
    std::shared_ptr<ClientCounts> counts = std::make_shared<ClientCounts>();
    // Whether clients are asked to open another connection, so that a load balancer can send them
    // elsewhere. Any thread may set it.
    std::shared_ptr<std::atomic<bool>> draining = std::make_shared<std::atomic<bool>>(false);
    [[nodiscard]] bool is_draining() const { return draining->load(std::memory_order_relaxed); }
};

}  // namespace steer::stream
