// JSON-RPC 2.0 without a transport: a line in, a line out.
//
// Errors have the standard's codes (-32700 not JSON, -32600 not a request, -32601 no such method,
// -32602 wrong parameters, -32603 the method failed), and -32001: the client's role does not permit
// the request; -32002: a cursor has lost its place (piece.h). An answer that is longer than the
// method's Piece becomes an error. A request without an id is executed without an answer. Batches
// are refused: one object per line. Not thread-safe; used by the main thread.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "control/api/rpc/methods.h"
#include "control/api/rpc/rpc_result.h"

namespace steer::ops {

// Called for each request to an existing method, when it has its result. `params`: an array, an
// object, or null if there are none.
using RpcObserver = std::function<void(const Method& method, const boost::json::value& params,
                                       const RpcResult& result)>;

class JsonRpc {
  public:
    // `methods` must outlive this object and every pending request.
    explicit JsonRpc(const Methods& methods) : methods_(methods) {}

    // Passes the answer to one line, without line end, to `answer`, at once or later. Empty: no
    // answer.
    void handle(std::string_view line, const Caller& caller,
                std::function<void(std::string)> answer, const RpcObserver& observer = {}) const;
    // The same for methods that answer at once, and for a caller with all rights.
    [[nodiscard]] std::string handle(std::string_view line) const;

    [[nodiscard]] const Methods& methods() const { return methods_; }

    // The answer to an unreadable line.
    static std::string refusal(RpcCode code, std::string_view message);

  private:
    const Methods& methods_;
};

}  // namespace steer::ops
