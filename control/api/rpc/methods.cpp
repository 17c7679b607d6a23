#include "control/api/rpc/methods.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "matchers/prefix/prefix_set.h"
#include "matchers/quote.h"
#include "matchers/version.h"

namespace steer::ops {
namespace json = boost::json;

Methods::Methods() {
    add({.name = "methods",
         .help = "Lists the methods of the control socket.",
         .changes = Changes::nothing(),
         .piece = Piece::report(),
         .run = [this](const Arguments&) -> RpcResult {
             json::array all;
             for (const auto& [_, method] : by_name_)
                 all.push_back(describe(method));
             return json::value(json::object{{"methods", std::move(all)}});
         },
         .members = "methods",
         .result = "`methods`: name, help, changes, role, result, sizes and parameters of each"});
    add({.name = "rpc.discover",
         .help = "Describes all methods as an OpenRPC document, for programs.",
         .changes = Changes::nothing(),
         .piece = Piece::report(),
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
         .piece = Piece::small(),
         .run = [](const Arguments& asked) -> RpcResult {
             return json::value{{"role", label_of(asked.caller().role)},
                                {"who", asked.caller().who}};
         },
         .members = "role who",
         .result = "`role` and `who`"});
}

namespace {

[[noreturn]] void refuse_to_add(std::string_view name, const char* why) {
    std::fprintf(stderr, "control socket: the method %s %s\n", std::string(name).c_str(), why);
    std::abort();
}

}  // namespace

void Methods::add(Method method) {
    const std::string_view name = method.name;
    if (method.piece.has_pages()) {
        if (!method.members.ends_with(kPageMember))
            refuse_to_add(name, "has pages, and its members do not say so");
        method.parameters.push_back(
            {kCursor, ParamType::text, "`cursor` of the page before; without it, the first page"});
    }
    if (!by_name_.emplace(name, std::move(method)).second) refuse_to_add(name, "is declared twice");
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

std::optional<RpcError> Methods::find_client(const Parameter& parameter, json::value& written,
                                             const Caller& caller) const {
    const std::string text(written.get_string());
    if (matchers::Prefix::parse(text)) return std::nullopt;
    // Names and MAC addresses of clients are for those who may list them.
    if (caller.role < AccessRole::operate)
        return RpcError{RpcCode::forbidden, "\"" + std::string(parameter.name) +
                                                "\": names of clients need the role operate: "
                                                "write an address or a prefix, not " +
                                                matchers::quoted(text)};
    const bool is_address = parameter.type == ParamType::client;
    const auto found =
        finder_
            ? finder_(text, is_address ? ClientAs::address : ClientAs::device)
            : Result<std::string>(Error{matchers::quoted(text) + " is not an address or a prefix"});
    if (!found) return bad_params("\"" + std::string(parameter.name) + "\": " + found.error().text);
    written = *found;
    return std::nullopt;
}

boost::system::result<Arguments, RpcError> Methods::arguments(const Method& method,
                                                              const json::value& params,
                                                              const Caller& caller) const {
    if (auto wrong = check_params(method, params)) return *std::move(wrong);
    json::value checked = params.is_null() ? json::value(json::object{}) : params;
    for (const Parameter& parameter : method.parameters) {
        json::value* const given = checked.get_object().if_contains(parameter.name);
        if (given == nullptr) continue;
        std::optional<RpcError> wrong;
        if (parameter.type == ParamType::client || parameter.type == ParamType::device) {
            wrong = find_client(parameter, *given, caller);
        } else if (parameter.type == ParamType::devices) {
            for (json::value& one : given->get_array()) {
                if (!wrong) wrong = find_client(parameter, one, caller);
            }
        }
        if (wrong) return *std::move(wrong);
    }
    return Arguments(std::move(checked), caller);
}

void Methods::call(const Method& method, const json::value& params, const RpcDone& done,
                   const Caller& caller) const {
    const auto checked = arguments(method, params, caller);
    if (!checked) return done(checked.error());
    const auto* const later = std::get_if<Later>(&method.run);
    RpcResult result = RpcError{};
    try {
        if (later != nullptr) return (*later)(*checked, done);
        result = std::get<AtOnce>(method.run)(*checked);
    } catch (const std::exception& e) {
        result = RpcError{RpcCode::internal_error, e.what()};
    }
    done(std::move(result));  // its exceptions are not errors of the method
}

}  // namespace steer::ops
