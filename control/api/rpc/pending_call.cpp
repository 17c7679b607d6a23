#include "control/api/rpc/pending_call.h"

#include <boost/asio/io_context.hpp>
#include <utility>

namespace steer::ops {

std::shared_ptr<PendingCall> begin_call(boost::asio::io_context& io, const JsonRpc& rpc,
                                        std::string_view request, const Caller& caller,
                                        const Audit& audit) {
    using Timer = boost::asio::steady_timer;
    auto pending = std::make_shared<PendingCall>(Timer(io, Timer::time_point::max()));
    rpc.handle(
        request, caller,
        [pending](std::string answer) {
            pending->answer = std::move(answer);
            pending->is_there = true;
            pending->ready.cancel();
        },
        [audit, who = caller.who](const Method& method, const boost::json::value& params,
                                  const RpcResult& result) {
            audit_request(audit, who, method, params, result);
        });
    return pending;
}

}  // namespace steer::ops
