#include "control/api/rpc/methods.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "matchers/version.h"

namespace steer::ops {
namespace json = boost::json;

Methods::Methods() {
    add({.name = "methods",
         .help = "Lists the methods of the control socket.",
         .changes = Changes::nothing(),
         .run = [this](const Arguments&) -> RpcResult {
             json::array all;
             for (const auto& [_, method] : by_name_)
                 all.push_back(describe(method));
             return json::value(json::object{{"methods", std::move(all)}});
         },
         .members = "methods",
         .result =
             "`methods`: `name`, `help`, `changes`, `role`, `result` and `parameters` of each"});
    add({.name = "rpc.discover",
         .help = "Describes all methods as an OpenRPC document, for programs.",
         .changes = Changes::nothing(),
         .run = [this](const Arguments&) -> RpcResult {
             json::array all;
             for (const auto& [_, method] : by_name_)
                 all.push_back(openrpc_method(method));
             return json::value{{"openrpc", "1.2.6"},
                                {"info", {{"title", "steerdnsd"}, {"version", kVersion}}},
                                {"methods", std::move(all)}};
         },
         .members = "openrpc info methods",
         .result = "an OpenRPC 1.2 document; `x-role` and `x-unit` are ours"});
    add({.name = "rpc.whoami",
         .help = "Shows your role, and how the log names you.",
         .changes = Changes::nothing(),
         .run = [](const Arguments& asked) -> RpcResult {
             return json::value{{"role", label_of(asked.caller().role)},
                                {"who", asked.caller().who}};
         },
         .members = "role who",
         .result = "`role` and `who`"});
}

void Methods::add(Method method) {
    const std::string_view name = method.name;
    if (by_name_.emplace(name, std::move(method)).second) return;
    std::fprintf(stderr, "control socket: two methods are called %s\n", std::string(name).c_str());
    std::abort();
}

const Method* Methods::find(std::string_view name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : &at->second;
}

std::string Methods::names() const {
    std::string all;
    for (const auto& [name, _] : by_name_)
        all.append(all.empty() ? "" : ", ").append(name);
    return all;
}

void Methods::call(const Method& method, const json::value& params, const RpcDone& done,
                   const Caller& caller) {
    if (auto error = check_params(method, params)) return done(*std::move(error));
    const Arguments arguments(params.is_null() ? json::value(json::object{}) : params, caller);
    const auto* const later = std::get_if<Later>(&method.run);
    RpcResult result = RpcError{};
    try {
        if (later != nullptr) return (*later)(arguments, done);
        result = std::get<AtOnce>(method.run)(arguments);
    } catch (const std::exception& e) {
        result = RpcError{RpcCode::internal_error, e.what()};
    }
    done(std::move(result));  // its exceptions are not errors of the method
}

}  // namespace steer::ops
