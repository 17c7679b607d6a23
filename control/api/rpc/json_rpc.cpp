#include "control/api/rpc/json_rpc.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <utility>

#include "matchers/safe_text.h"
#include "matchers/utf8.h"

namespace steer::ops {
namespace json = boost::json;
namespace {

// json_bytes() counts at most this many bytes for each one of the text.
constexpr std::size_t kMostCounted = 8;

// `part`: "result" or "error"; `body`: its JSON.
std::string framed(const json::value& id, std::string_view part, std::string_view body) {
    std::string text = R"({"jsonrpc":"2.0","id":)" + json::serialize(id);
    text.append(",\"").append(part).append("\":").append(body).append("}");
    return safe_json(std::move(text));
}

std::string answer(const json::value& id, const RpcError& error) {
    return framed(id, "error",
                  json::serialize(json::value{{"code", static_cast<int>(error.code)},
                                              {"message", error.message}}));
}

// A method whose answer is larger than it declares ends one request, not the main thread.
std::string answer(const Method& method, const json::value& id, const RpcResult& result) {
    if (!result) return answer(id, result.error());
    const std::size_t most = method.piece.most_bytes();
    std::size_t bytes = json_bytes(*result) / kMostCounted;
    if (bytes <= most) {
        const std::string body = json::serialize(*result);
        if (body.size() <= most) return framed(id, "result", body);
        bytes = body.size();
    }
    return answer(
        id, RpcError{RpcCode::internal_error,
                     "the answer of " + std::string(method.name) + " has " + std::to_string(bytes) +
                         " bytes, above its limit of " + std::to_string(most) + ": ask for less"});
}

// A number is finite: 1e999 is read as infinity, which an answer could not repeat.
bool is_id(const json::value& id) {
    if (const auto* const number = id.if_double()) return std::isfinite(*number);
    return id.is_string() || id.is_number() || id.is_null();
}

// What is wrong with a request's frame; nullptr: nothing.
const char* frame_error(const json::object& request) {
    const auto* const version = request.if_contains("jsonrpc");
    if (version == nullptr || *version != json::value("2.0")) {
        return "not a request: \"jsonrpc\" must be \"2.0\"";
    }
    const auto* const method = request.if_contains("method");
    if (method == nullptr || !method->is_string()) {
        return "not a request: \"method\" must be a string";
    }
    const auto* const params = request.if_contains("params");
    if (params != nullptr && !params->is_array() && !params->is_object()) {
        return "not a request: \"params\" must be an array or an object";
    }
    const auto* const id = request.if_contains("id");
    if (id != nullptr && !is_id(*id)) {
        return "not a request: \"id\" must be a string or a number";
    }
    return nullptr;
}

RpcError forbidden(const Method& method, AccessRole needed, AccessRole had) {
    return {RpcCode::forbidden,
            std::string(method.name) + " needs the role \"" + std::string(label_of(needed)) +
                "\", and you have " +
                (had == AccessRole::none ? "none" : "\"" + std::string(label_of(had)) + "\"") +
                ": ask the administrator for it (`roles` of `control`)"};
}

}  // namespace

void throw_exception_from_error(const RpcError& e, const boost::source_location&) {
    throw std::logic_error("unchecked result: " + e.message);
}

std::string JsonRpc::refusal(RpcCode code, std::string_view message) {
    return answer(nullptr, RpcError{code, std::string(message)});
}

void JsonRpc::handle(std::string_view line, const Caller& caller,
                     std::function<void(std::string)> answer_with,
                     const RpcObserver& observer) const {
    json::error_code error;
    const json::value request = json::parse({line.data(), line.size()}, error);
    if (error) {
        const auto wrong = find_not_utf8(line);
        return answer_with(refusal(RpcCode::parse_error,
                                   "not JSON: " + (wrong ? wrong->text() : error.message())));
    }
    const auto* const object = request.if_object();
    if (object == nullptr) {
        return answer_with(
            refusal(RpcCode::invalid_request, "not a request: one JSON object a line"));
    }
    if (const char* const why = frame_error(*object)) {
        return answer_with(refusal(RpcCode::invalid_request, why));
    }
    const auto* const given = object->if_contains("params");
    const json::value params = given != nullptr ? *given : json::value();
    const auto* const id = object->if_contains("id");
    const std::string name(object->at("method").as_string());
    const Method* const method = methods_.find(name);
    const RpcDone done = [has_id = id != nullptr, id = id != nullptr ? *id : json::value(),
                          answer_with = std::move(answer_with), method, params,
                          observer](const RpcResult& result) {
        if (observer && method != nullptr) observer(*method, params, result);
        if (!has_id) return answer_with({});
        answer_with(method != nullptr ? answer(*method, id, result) : answer(id, result.error()));
    };
    if (method == nullptr) {
        return done(RpcError{RpcCode::method_not_found,
                             "no method \"" + name + "\"; there are: " + methods_.names()});
    }
    if (const AccessRole needed = role_for(*method, params); caller.role < needed)
        return done(forbidden(*method, needed, caller.role));
    methods_.call(*method, params, done, caller);
}

std::string JsonRpc::handle(std::string_view line) const {
    const auto text = std::make_shared<std::string>();
    handle(line, {}, [text](std::string a) { *text = std::move(a); });
    return *text;
}

}  // namespace steer::ops
