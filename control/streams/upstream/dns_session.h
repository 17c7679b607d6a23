// DNS over a byte stream, plain (RFC 7766) or with TLS (RFC 7858), as a client: messages behind two
// bytes of length.
//
// One query at a time, or with `pipeline` up to kPipelined, whose answers come in any order
// (RFC 7766 6.2.1.1). On the wire queries have the session's own ids, random and distinct from those in
// progress; a reply that matches none is counted and skipped. The queries of one turn of the
// io_context are sent in one write. An idle session has no buffer.
#pragma once

#include <memory>

#include "control/host/net/byte_stream.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_session.h"
#include "control/streams/upstream/upstream_target.h"

namespace steer::stream {

inline constexpr unsigned kPipelined = 64;

std::shared_ptr<UpstreamSession> make_dns_session(StreamContext& context, ByteStream stream,
                                                  const UpstreamTarget& target,
                                                  SessionWatcher& watcher);

}  // namespace steer::stream
