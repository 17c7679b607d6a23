// JSON-RPC 2.0 without a transport: a table of methods, a line in, a line out.
//
// Errors have the standard's codes (-32700 not JSON, -32600 not a request, -32601 no such method,
// -32602 wrong parameters, -32603 the method failed). A request without an id is done and not
// answered. Batches are refused: one object a line. Not thread-safe; used by the main thread.
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace steer::ops {

enum class RpcCode : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
};

struct RpcError {
    RpcCode code;
    std::string message;
};
// The client can do better: the message says how.
inline RpcError bad_params(std::string message) {
    return {RpcCode::invalid_params, std::move(message)};
}
[[noreturn]] void throw_exception_from_error(const RpcError& e, const boost::source_location&);

// The parameter of that name; nullptr if it is not there, or if parameters were not given by name.
const boost::json::value* param(const boost::json::value& params, std::string_view key);

// `params` is an array, an object, or null if there were none.
using RpcResult = boost::system::result<boost::json::value, RpcError>;
using RpcMethod = std::function<RpcResult(const boost::json::value& params)>;
// One that has its result later, on the same thread: it calls `done` once.
using RpcDone = std::function<void(RpcResult)>;
using RpcLaterMethod = std::function<void(const boost::json::value& params, RpcDone done)>;

// Told of each request for a method that there is, when it has its result.
using RpcHeard = std::function<void(const std::string& method, const boost::json::value& params,
                                    const RpcResult& result)>;

class JsonRpc {
  public:
    void add(std::string name, RpcMethod method);
    void add_later(std::string name, RpcLaterMethod method);

    // Gives `answer` the answer to one line, without its line end, at once or later; empty: there is none. An
    // exception out of a method is an internal_error with its text.
    void handle(std::string_view line, std::function<void(std::string)> answer,
                const RpcHeard& heard = {}) const;
    // The same for methods that answer at once.
    [[nodiscard]] std::string handle(std::string_view line) const;

    // An answer to what could not be read at all.
    static std::string refusal(RpcCode code, std::string_view message);

  private:
    void call(const std::string& name, const boost::json::value& params, const RpcDone& done) const;

    std::map<std::string, RpcLaterMethod, std::less<>> methods_;
};

}  // namespace steer::ops
