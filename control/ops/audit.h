// Who changed what over the control socket, as a line for the log.
//
// Whether a request changes something is part of its method's declaration (method.h). Others are not logged.
#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "control/ops/rpc_result.h"

namespace steer::ops {

// As SO_PEERCRED of unix(7) gives it: whoever connected.
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
