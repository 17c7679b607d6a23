// Log lines about requests over the control socket and over HTTP: changes and their callers, and
// refused requests.
//
// A method's declaration says whether a request changes something (method.h). Other requests are
// logged only if the client's role does not permit them.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "control/api/rpc/method.h"
#include "control/api/rpc/rpc_result.h"

namespace steer::ops {

// Gets a line.
using Audit = std::function<void(const std::string& line)>;

// "control request cache.flush {"all":true} of uid 0, gid 0, pid 4711: done". Parameters are JSON,
// at most 512 bytes; secrets in them are "***". A result without an effect (`applied: false`,
// `errors`) counts as a refusal. The line is safe text (matchers/safe_text.h). `who`: Caller::who.
std::string audit_line(std::string_view who, std::string_view method,
                       const boost::json::value& params, const RpcResult& result);

// Passes the line of a request to `audit`, if such requests are logged.
void audit_request(const Audit& audit, std::string_view who, const Method& method,
                   const boost::json::value& params, const RpcResult& result);

}  // namespace steer::ops
