#include "control/api/rpc/method.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <sstream>

#include "control/config/text/dns_names.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"

namespace steer::ops {
namespace json = boost::json;
namespace {

std::string number_text(const Parameter& p) {
    std::string text = "a whole number";
    if (p.most != std::numeric_limits<std::uint64_t>::max())
        text += " from " + std::to_string(p.least) + " to " + std::to_string(p.most);
    return p.unit.empty() ? text : text + " " + std::string(p.unit);
}

std::string type_text(const Parameter& p) {
    switch (p.type) {
        case ParamType::text:
            return "a text";
        case ParamType::domain_name:
            return "a domain name";
        case ParamType::address:
            return "an IP address";
        case ParamType::path:
            return "an absolute path";
        case ParamType::flag:
            return "true or false";
        case ParamType::number:
            return number_text(p);
        case ParamType::texts:
            return "a list of texts";
        case ParamType::client:
            return "an address, a prefix or the name of a client";
        case ParamType::device:
            return "an address, a prefix, a MAC address or the name of a device";
        case ParamType::devices:
            return "a list of addresses, prefixes, MAC addresses and names of devices";
    }
    return {};
}

bool is_number_of(const Parameter& p, const json::value& given) {
    boost::system::error_code error;
    const auto n = given.to_number<std::uint64_t>(error);
    return !error && n >= p.least && n <= p.most;
}

bool is_of_type(const Parameter& p, const json::value& given) {
    const auto* const text = given.if_string();
    switch (p.type) {
        case ParamType::text:
            return text != nullptr && !(p.is_required && text->empty());
        case ParamType::domain_name:
            return text != nullptr && config::asked_name(*text).has_value();
        case ParamType::address:
            return text != nullptr && IpAddress::parse(*text).has_value();
        case ParamType::path:
            return text != nullptr && text->starts_with('/');
        case ParamType::flag:
            return given.is_bool();
        case ParamType::number:
            return is_number_of(p, given);
        case ParamType::client:
        case ParamType::device:
            return text != nullptr && !text->empty();
        case ParamType::texts:
        case ParamType::devices:
            return given.is_array() &&
                   std::all_of(given.get_array().begin(), given.get_array().end(),
                               [](const auto& one) { return one.is_string(); });
    }
    return false;
}

std::string expected(const Parameter& p) {
    return "expected " + type_text(p) + " (" + std::string(p.meaning) + ")";
}

RpcError unknown(const Method& method, std::string_view name) {
    std::string known;
    for (const Parameter& p : method.parameters)
        known.append(known.empty() ? "" : ", ").append(p.name);
    return bad_params(std::string(method.name) + " has no parameter " + matchers::quoted(name) +
                      "; " + (known.empty() ? "it takes none" : "it has: " + known));
}

RpcError wrong(const Parameter& p, const json::value& given) {
    std::string sentence = "\"" + std::string(p.name) + "\": " + expected(p);
    if (const auto* const text = given.if_string()) sentence += ", not " + matchers::quoted(*text);
    return bad_params(std::move(sentence));
}

}  // namespace

bool Changes::by(const json::value& params) const {
    if (!any_ || parameter_.empty()) return any_;
    const auto* const given = params.if_object();
    return given != nullptr && given->contains(parameter_);
}

json::value Changes::to_json() const {
    return any_ && !parameter_.empty() ? json::value(parameter_) : json::value(any_);
}

AccessRole highest_role(const Method& method) {
    if (method.role != AccessRole::none) return method.role;
    return method.changes.any() ? AccessRole::operate : AccessRole::read;
}

AccessRole role_for(const Method& method, const json::value& params) {
    return !method.changes.any() || method.changes.by(params) ? highest_role(method)
                                                              : AccessRole::read;
}

std::optional<RpcError> check_params(const Method& method, const json::value& params) {
    const auto* const given = params.if_object();
    if (given == nullptr && !params.is_null())
        return bad_params("parameters are given by name, in an object");
    if (given != nullptr) {
        for (const auto& [name, _] : *given) {
            const auto is_it = [name = name](const Parameter& p) { return p.name == name; };
            if (std::none_of(method.parameters.begin(), method.parameters.end(), is_it))
                return unknown(method, name);
        }
    }
    for (const Parameter& p : method.parameters) {
        const auto* const one = given == nullptr ? nullptr : given->if_contains(p.name);
        if (one != nullptr && !is_of_type(p, *one)) return wrong(p, *one);
        if (one == nullptr && p.is_required)
            return bad_params("\"" + std::string(p.name) + "\" is missing: " + expected(p));
    }
    return std::nullopt;
}

json::object describe(const Method& method) {
    json::array parameters;
    for (const Parameter& p : method.parameters) {
        parameters.push_back(json::object{{"name", p.name},
                                          {"type", type_text(p)},
                                          {"required", p.is_required},
                                          {"meaning", p.meaning}});
    }
    return {{"name", method.name},
            {"help", method.help},
            {"changes", method.changes.to_json()},
            {"role", label_of(highest_role(method))},
            {"result", method.result},
            {"members", method.members},
            {"most_bytes", method.piece.most_bytes()},
            {"most_rows", method.piece.most_rows()},
            {"parameters", std::move(parameters)}};
}

namespace {

json::object schema_of(const Parameter& p) {
    switch (p.type) {
        case ParamType::text:
        case ParamType::domain_name:
        case ParamType::address:
        case ParamType::path:
        case ParamType::client:
        case ParamType::device:
            return {{"type", "string"}};
        case ParamType::flag:
            return {{"type", "boolean"}};
        case ParamType::texts:
        case ParamType::devices:
            return {{"type", "array"}, {"items", {{"type", "string"}}}};
        case ParamType::number:
            break;
    }
    json::object schema{{"type", "integer"}, {"minimum", p.least}};
    if (p.most != std::numeric_limits<std::uint64_t>::max()) schema["maximum"] = p.most;
    if (!p.unit.empty()) schema["x-unit"] = p.unit;
    return schema;
}

}  // namespace

namespace {

json::object result_schema(const Method& method) {
    json::object properties;
    json::array required;
    std::istringstream members{std::string(method.members)};
    for (std::string member; members >> member;) {
        const bool is_optional = member.ends_with('?');
        if (is_optional) member.pop_back();
        properties[member] = json::object{};
        if (!is_optional) required.emplace_back(member);
    }
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
}

}  // namespace

json::object openrpc_method(const Method& method) {
    json::array params;
    for (const Parameter& p : method.parameters) {
        json::object schema = schema_of(p);
        schema["description"] = type_text(p);
        params.push_back(json::object{{"name", p.name},
                                      {"summary", p.meaning},
                                      {"required", p.is_required},
                                      {"schema", std::move(schema)}});
    }
    const bool is_mixed = method.changes.to_json().is_string();
    return {{"name", method.name},
            {"summary", method.help},
            {"paramStructure", "by-name"},
            {"params", std::move(params)},
            {"result",
             {{"name", "result"}, {"summary", method.result}, {"schema", result_schema(method)}}},
            {"x-most-bytes", method.piece.most_bytes()},
            {"x-most-rows", method.piece.most_rows()},
            {"x-changes", method.changes.to_json()},
            {"x-role", label_of(is_mixed ? AccessRole::read : highest_role(method))},
            {"x-changing-role", label_of(highest_role(method))}};
}

// ---- reading

bool Arguments::has(std::string_view name) const {
    return all_.get_object().contains(name);
}

bool Arguments::is_true(std::string_view name) const {
    const auto* const given = all_.get_object().if_contains(name);
    return given != nullptr && given->get_bool();
}

std::optional<std::string> Arguments::find_text(std::string_view name) const {
    const auto* const given = all_.get_object().if_contains(name);
    if (given == nullptr) return std::nullopt;
    return std::string(given->get_string());
}

std::string Arguments::text(std::string_view name) const {
    return find_text(name).value_or("");
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
    std::vector<std::string> out;
    const auto* const given = all_.get_object().if_contains(name);
    if (given == nullptr) return out;
    out.reserve(given->get_array().size());
    for (const auto& one : given->get_array())
        out.emplace_back(one.get_string());
    return out;
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise) const {
    const auto* const given = all_.get_object().if_contains(name);
    return given == nullptr ? otherwise : given->to_number<std::uint64_t>();
}

}  // namespace steer::ops
