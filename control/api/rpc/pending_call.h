// One JSON-RPC request of a session: what its method has answered, or will. The audit logs it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "control/api/rpc/audit.h"
#include "control/api/rpc/json_rpc.h"

namespace steer::ops {

struct PendingCall {
    boost::asio::steady_timer ready;  // cancelled when the answer is there
    std::string answer{};             // empty: the request wants none
    bool is_there = false;
};

// `rpc` outlives the call.
std::shared_ptr<PendingCall> begin_call(boost::asio::io_context& io, const JsonRpc& rpc,
                                        std::string_view request, const Caller& caller,
                                        const Audit& audit);

}  // namespace steer::ops
