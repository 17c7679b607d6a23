// Transports over a TCP connection (upstream_connect.h), through a proxy if there is one: DNS over
// TCP (RFC 7766), over TLS (RFC 7858) and over HTTPS (RFC 8484: HTTP/2, or HTTP/1.1 for older
// upstreams). Also DNS over UDP through a proxy: its session is an association with a relay
// (relayed_session.h), or a TCP connection if the proxy has no relay.
#pragma once

#include <memory>

#include "control/host/net/byte_stream.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_session.h"
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

// DNS over a byte stream, plain (RFC 7766) or with TLS (RFC 7858), as a client: messages with a
// length prefix of two bytes.
//
// One query at a time, or with `pipeline` up to kPipelined, with answers in any order (RFC 7766
// 6.2.1.1). On the wire, queries have the session's own ids: random and distinct from those in
// progress. A reply that matches none is counted and skipped. The queries of one turn of the
// io_context are sent in one write. An idle session has no buffer.
inline constexpr unsigned kPipelined = 64;

std::shared_ptr<UpstreamSession> make_dns_session(StreamContext& context, ByteStream stream,
                                                  const UpstreamTarget& target,
                                                  SessionWatcher& watcher);

}  // namespace steer::stream
