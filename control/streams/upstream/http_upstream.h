// DNS over HTTPS as a client (RFC 8484): HTTP/2 if ALPN chose it, else HTTP/1.1, one query at a
// time.
//
// Queries are sent with the id 0, so that caches on the path may answer them (RFC 8484 4.1). The
// queries of one turn of the io_context are sent in one write. If a response has another status
// than 200, or is no DNS message that answers the query, the query ends with EPROTO. No redirects
// and no retries here. The `Age` of a response lowers TTLs, and they are at most the rest of its
// `max-age` (RFC 8484 5.1).
#pragma once

#include <memory>

#include "control/host/net/byte_stream.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_session.h"
#include "control/streams/upstream/upstream_target.h"

namespace steer::stream {

std::shared_ptr<UpstreamSession> make_http_session(StreamContext& context, ByteStream stream,
                                                   const UpstreamTarget& target,
                                                   SessionWatcher& watcher);

}  // namespace steer::stream
