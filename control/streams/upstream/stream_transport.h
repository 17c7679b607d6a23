// Transports over a TCP connection (upstream_connect.h), through a proxy if there is one: DNS over TCP (RFC 7766), over TLS
// (RFC 7858) and over HTTPS (RFC 8484: HTTP/2, or HTTP/1.1 if the upstream speaks nothing newer). And DNS over UDP through
// a proxy: its session is an association with a relay (relayed_session.h), or a TCP connection if the proxy has none.
#pragma once

#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_transport.h"

namespace steer::stream {

std::unique_ptr<UpstreamTransport> make_tcp_transport(StreamContext& context,
                                                      std::shared_ptr<const UpstreamTarget> target);
std::unique_ptr<UpstreamTransport> make_relayed_transport(
    StreamContext& context, std::shared_ptr<const UpstreamTarget> target);
std::unique_ptr<UpstreamTransport> make_tls_transport(StreamContext& context,
                                                      std::shared_ptr<const UpstreamTarget> target);
std::unique_ptr<UpstreamTransport> make_https_transport(
    StreamContext& context, std::shared_ptr<const UpstreamTarget> target);

}  // namespace steer::stream
