// Log lines about changes over the control socket: who changed what.
//
// A method's declaration says whether a request changes something (method.h). Other requests are not logged.
#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "control/ops/rpc_result.h"

namespace steer::ops {

// The credentials of the peer, from SO_PEERCRED of unix(7).
struct Peer {
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t pid = 0;
};

// "control request cache.flush {"all":true} of uid 0, gid 0, pid 4711: done". Parameters are JSON, at most 512 bytes, and
// secrets in them are "***". It is safe text (matchers/safe_text.h).
std::string audit_line(const Peer& peer, std::string_view method, const boost::json::value& params,
                       const RpcResult& result);

}  // namespace steer::ops
