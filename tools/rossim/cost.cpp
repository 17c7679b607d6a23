#include "tools/rossim/cost.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <stdexcept>

namespace rossim {
namespace {

std::int64_t number(const boost::json::object& object, std::string_view where,
                    std::string_view name) {
    const boost::json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_int64() || value->as_int64() < 0) {
        throw std::runtime_error("presets: \"" + std::string(where) + "\" needs \"" +
                                 std::string(name) + "\", a whole number of at least 0");
    }
    return value->as_int64();
}

Costs read_costs(const boost::json::object& object, std::string_view name) {
    const std::int64_t divisor = number(object, name, "script_row_base_divisor");
    return {number(object, name, "base"),      number(object, name, "add"),
            number(object, name, "set"),       number(object, name, "remove"),
            number(object, name, "scan_row"),  number(object, name, "emit_row"),
            std::max<std::int64_t>(divisor, 1)};
}

}  // namespace

double Costs::writes_per_second() const {
    return base + add == 0 ? 0 : 1e6 / static_cast<double>(base + add);
}

const Costs& Presets::get(std::string_view name) const {
    const auto it = costs.find(name);
    if (it != costs.end()) return it->second;
    std::string known;
    for (const auto& [key, value] : costs)
        known += (known.empty() ? "" : ", ") + key;
    throw std::runtime_error("no preset \"" + std::string(name) + "\"; there are: " + known);
}

const Presets& built_in_presets() {
    static const Presets kPresets = parse_presets(built_in_presets_text());
    return kPresets;
}

Presets parse_presets(std::string_view json_text) {
    boost::json::error_code error;
    const boost::json::value root = boost::json::parse(json_text, error);
    if (error) throw std::runtime_error("presets: not JSON: " + error.message());
    if (!root.is_object()) throw std::runtime_error("presets: not a JSON object");
    Presets presets;
    for (const auto& [key, value] : root.as_object()) {
        const std::string name(key);
        if (!value.is_object()) continue;  // "comment"
        const boost::json::object& object = value.as_object();
        if (name == "throttle") {
            presets.throttle = {number(object, name, "bucket_requests"),
                                number(object, name, "then_ms_per_request") * 1000};
        } else {
            presets.costs[name] = read_costs(object, name);
        }
    }
    return presets;
}

}  // namespace rossim
