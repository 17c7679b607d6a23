// A server of steerdns-quic: its protocol, certificate and limits. One for all addresses of a server
// plugin and all threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/config/settings/server_limit_settings.h"
#include "control/config/settings/server_protocol.h"
#include "control/streams/base/client_counts.h"
#include "control/streams/http/doh_request.h"
#include "control/streams/quic/tls.h"

namespace steer::quic {

// What a server over HTTP/3 answers.
struct HttpPaths {
    std::vector<stream::ServedPath> paths;
    std::string client_header;  // the header that names the client, in lower case; empty: none
    bool operator==(const HttpPaths&) const = default;
};

struct QuicService {
    std::uint16_t number = 0;
    config::ServerProtocol protocol = config::ServerProtocol::doq;
    HttpPaths http{};
    config::ServerLimits limits{};
    std::shared_ptr<const ServerTls> tls{};
    std::shared_ptr<stream::ClientCounts> counts = std::make_shared<stream::ClientCounts>();
};

}  // namespace steer::quic
