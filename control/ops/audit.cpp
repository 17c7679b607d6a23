#include "control/ops/audit.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "matchers/safe_text.h"

namespace steer::ops {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxBytes = 512;

// `text` is a whole configuration, with its passwords.
bool is_secret(std::string_view key) {
    if (key == "text") return true;
    constexpr std::array<std::string_view, 4> kSecrets{"password", "secret", "token", "key"};
    return std::any_of(kSecrets.begin(), kSecrets.end(),
                       [&](std::string_view s) { return key.find(s) != std::string_view::npos; });
}

json::value without_secrets(const json::value& params) {
    if (const auto* const list = params.if_array()) {
        json::array out;
        for (const auto& one : *list)
            out.push_back(without_secrets(one));
        return out;
    }
    const auto* const map = params.if_object();
    if (map == nullptr) return params;
    json::object out;
    for (const auto& [key, value] : *map)
        out[key] = is_secret(key) ? json::value("***") : without_secrets(value);
    return out;
}

}  // namespace

std::string audit_line(std::string_view who, std::string_view method, const json::value& params,
                       const RpcResult& result) {
    std::string line = "control request " + safe_text(method);
    if (!params.is_null())
        line += " " + safe_text(json::serialize(without_secrets(params)), kMaxBytes);
    return line + " of " + safe_text(who) +
           (result ? ": done" : ": refused: " + safe_text(result.error().message, kMaxBytes));
}

void audit_request(const Audit& audit, std::string_view who, const Method& method,
                   const json::value& params, const RpcResult& result) {
    const bool is_forbidden = !result && result.error().code == RpcCode::forbidden;
    if (audit && (is_forbidden || method.changes.by(params)))
        audit(audit_line(who, method.name, params, result));
}

}  // namespace steer::ops
