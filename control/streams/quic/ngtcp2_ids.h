// Connection ids as ngtcp2 has them.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <span>

#include "control/streams/quic/connection_id.h"

namespace steer::quic {

inline ngtcp2_cid cid_of(const ConnectionId& id) {
    ngtcp2_cid cid;
    ngtcp2_cid_init(&cid, id.bytes.data(), id.length);
    return cid;
}

inline ConnectionId id_of(const ngtcp2_cid& cid) {
    return ConnectionId(std::span(cid.data, cid.datalen));
}

}  // namespace steer::quic
