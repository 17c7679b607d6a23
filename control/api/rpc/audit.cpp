#include "control/api/rpc/audit.h"

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

// `text` is a whole configuration, and `values` are parts of one, with their passwords.
bool is_secret(std::string_view key) {
    if (key == "text" || key == "values") return true;
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

// A result can say that nothing was done, and why: a configuration with errors, a reload that was refused.
std::string refusal_in(const json::value& result) {
    const auto* const all = result.if_object();
    if (all == nullptr) return {};
    std::string why;
    if (const auto* const errors = all->if_contains("errors");
        errors != nullptr && errors->is_array() && !errors->get_array().empty()) {
        const json::value& first = errors->get_array().front();
        why = first.is_string() ? std::string(first.get_string()) : "it has errors";
    }
    const auto* const applied = all->if_contains("applied");
    if (applied == nullptr || !applied->is_bool() || applied->get_bool()) return why;
    why = "nothing was applied";
    const auto* const problems = all->if_contains("problems");
    if (problems == nullptr || !problems->is_array()) return why;
    for (const json::value& one : problems->get_array()) {
        const auto* const problem = one.if_object();
        if (problem == nullptr) continue;
        const auto* const level = problem->if_contains("level");
        const auto* const text = problem->if_contains("text");
        if (level != nullptr && *level == "error" && text != nullptr && text->is_string())
            return std::string(text->get_string());
    }
    return why;
}

}  // namespace

std::string audit_line(std::string_view who, std::string_view method, const json::value& params,
                       const RpcResult& result) {
    std::string line = "control request " + safe_text(method);
    if (!params.is_null())
        line += " " + safe_text(json::serialize(without_secrets(params)), kMaxBytes);
    const std::string why = result ? refusal_in(*result) : result.error().message;
    line += " of " + safe_text(who);
    return line + (result && why.empty() ? ": done" : ": refused: " + safe_text(why, kMaxBytes));
}

void audit_request(const Audit& audit, std::string_view who, const Method& method,
                   const json::value& params, const RpcResult& result) {
    const bool is_forbidden = !result && result.error().code == RpcCode::forbidden;
    if (audit && (is_forbidden || method.changes.by(params)))
        audit(audit_line(who, method.name, params, result));
}

}  // namespace steer::ops
