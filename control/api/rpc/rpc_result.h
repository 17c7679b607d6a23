// The result of a method of the control socket: a value, or an error with a code of JSON-RPC 2.0.
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <functional>
#include <string>
#include <utility>

namespace steer::ops {

enum class RpcCode : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    // Not in the standard: the client's role permits less; a cursor has lost its place (piece.h).
    forbidden = -32001,
    lost_place = -32002,
};

struct RpcError {
    RpcCode code;
    std::string message;
};
// An error of the client; the message says how to avoid it.
inline RpcError bad_params(std::string message) {
    return {RpcCode::invalid_params, std::move(message)};
}
[[noreturn]] void throw_exception_from_error(const RpcError& e, const boost::source_location&);

using RpcResult = boost::system::result<boost::json::value, RpcError>;
// Takes the result of a method that answers later. Called once, on the thread that called the
// method.
using RpcDone = std::function<void(RpcResult)>;

}  // namespace steer::ops
