// A line of any bytes on the control socket: every answer is one line of JSON with a result or an error.
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "control/api/rpc/json_rpc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // One parameter of each type, so that their checks are fuzzed too.
    static const steer::ops::Methods* const methods = [] {
        using steer::ops::ParamType;
        auto* const all = new steer::ops::Methods;
        all->add({.name = "echo",
                  .help = "Answers with its parameters.",
                  .changes = steer::ops::Changes::with("on"),
                  .piece = steer::ops::Piece::small(),
                  .parameters = {{"text", ParamType::text, "a text"},
                                 {"name", ParamType::domain_name, "a name"},
                                 {"address", ParamType::address, "an address"},
                                 {"file", ParamType::path, "a path"},
                                 {"on", ParamType::flag, "a flag"},
                                 {"most", ParamType::number, "a number", false, 1, 300},
                                 {"add", ParamType::texts, "texts"}},
                  .run = [](const steer::ops::Arguments& asked) -> steer::ops::RpcResult {
                      return asked.json().get_object().size() + asked.number("most", 0) +
                             asked.text("text").size() + asked.texts("add").size() +
                             (asked.is_true("on") ? 1U : 0U);
                  }});
        return all;
    }();
    static const steer::ops::JsonRpc rpc(*methods);
    const std::string answer = rpc.handle({reinterpret_cast<const char*>(data), size});
    if (answer.empty()) return 0;
    if (answer.find('\n') != std::string::npos) std::abort();
    const auto object = boost::json::parse(answer).as_object();
    if (object.contains("result") == object.contains("error")) std::abort();
    return 0;
}
