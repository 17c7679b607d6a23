// The transport of upstreams over QUIC: DNS over QUIC (RFC 9250) and over HTTP/3 (RFC 8484, 9114), by
// steerdns-quic (quic_upstreams.h).
#pragma once

#include <memory>

#include "control/streams/upstream/quic_upstreams.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_transport.h"

namespace steer::stream {

std::unique_ptr<UpstreamTransport> make_quic_transport(
    QuicUpstreams& quic, std::shared_ptr<const UpstreamTarget> target);

}  // namespace steer::stream
