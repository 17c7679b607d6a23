#include "control/sources/rules/rule_origins.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <filesystem>

#include "control/config/reading.h"
#include "control/host/process/new_file.h"

namespace steer::rules {
namespace json = boost::json;

namespace {

constexpr std::string_view kForm =
    R"(expected an object as in {"full:www.example": {"origin": "learned", "created_at_ms": )"
    R"(1767225600000}}; restore it, or remove it: then no rule counts as learned)";

Error not_of_the_form(std::string_view what) {
    return Error{std::string(what) + ": " + std::string(kForm)};
}

}  // namespace

Result<RuleOrigins> parse_rule_origins(std::string_view text) {
    boost::system::error_code bad;
    const json::value all = json::parse(text, bad);
    if (bad) return not_of_the_form("it is not JSON (" + bad.message() + ")");
    if (!all.is_object()) return not_of_the_form("it is not an object");
    RuleOrigins out;
    for (const auto& [rule, about] : all.get_object()) {
        const json::object* const members = about.if_object();
        const json::value* const origin =
            members != nullptr ? members->if_contains("origin") : nullptr;
        const json::value* const since =
            members != nullptr ? members->if_contains("created_at_ms") : nullptr;
        if (origin == nullptr || !origin->is_string() || since == nullptr || !since->is_number())
            return not_of_the_form("the entry of '" + std::string(rule) + "' is incomplete");
        boost::system::error_code too_large;
        const auto ms = since->to_number<std::int64_t>(too_large);
        if (too_large)
            return not_of_the_form("'created_at_ms' of '" + std::string(rule) + "' is no time");
        out.emplace(std::string(rule), RuleOrigin{origin->get_string() == "learned", ms});
    }
    return {boost::system::in_place_value, std::move(out)};
}

std::string rule_origins_text(const RuleOrigins& origins) {
    std::string out = "{";
    std::string_view separator = "\n  ";
    for (const auto& [rule, origin] : origins) {
        out.append(separator)
            .append(json::serialize(json::value(rule)))
            .append(R"(: {"origin": ")")
            .append(origin.is_learned ? "learned" : "manual")
            .append(R"(", "created_at_ms": )")
            .append(std::to_string(origin.since_ms))
            .append("}");
        separator = ",\n  ";
    }
    return out + "\n}\n";
}

Result<RuleOrigins> read_rule_origins(const std::string& file) {
    std::error_code error;
    if (file.empty() || (!std::filesystem::exists(file, error) && !error)) return RuleOrigins{};
    const auto bytes = config::Reading::read_text(file);
    if (!bytes) return Error{file + " cannot be read: " + bytes.error().text};
    auto origins = parse_rule_origins(*bytes);
    if (!origins) return Error{file + ": " + origins.error().text};
    return origins;
}

Result<void> write_rule_origins(const std::string& file, const RuleOrigins& origins) {
    make_folder_of(file);
    NewFile draft(file);
    draft.write(rule_origins_text(origins));
    if (!draft.replace(NewFile::kForAll)) return draft.failure();
    return {};
}

}  // namespace steer::rules
