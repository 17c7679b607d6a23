// A line of any bytes on the control socket: every answer is one line of JSON with a result or an error.
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "control/ops/json_rpc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const steer::ops::JsonRpc rpc = [] {
        steer::ops::JsonRpc methods;
        methods.add("echo", [](const boost::json::value& params) -> steer::ops::RpcResult {
            return params.is_object() ? params.get_object().size() : 0U;
        });
        return methods;
    }();
    const std::string answer = rpc.handle({reinterpret_cast<const char*>(data), size});
    if (answer.empty()) return 0;
    if (answer.find('\n') != std::string::npos) std::abort();
    const auto object = boost::json::parse(answer).as_object();
    if (object.contains("result") == object.contains("error")) std::abort();
    return 0;
}
