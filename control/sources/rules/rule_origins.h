// The origin and time of the rules of a dynamic_domain_set: the JSON file of `metadata_path`, in
// OxiDNS's form.
//
//   {"full:www.example": {"origin": "learned", "created_at_ms": 1767225600000}, ...}
//
// A rule that is not in the file belongs to the operator. Blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer::rules {

struct RuleOrigin {
    bool is_learned = false;    // false: the operator's
    std::int64_t since_ms = 0;  // since 1970
    bool operator==(const RuleOrigin&) const = default;
};
// By config::rule_text(): "full:www.example".
using RuleOrigins = std::map<std::string, RuleOrigin, std::less<>>;

Result<RuleOrigins> parse_rule_origins(std::string_view json);
std::string rule_origins_text(const RuleOrigins& origins);

// Passes each entry on, in the order of the file, without holding them. A missing file, or an empty
// name, has none. The text is valid during the call.
Result<void> visit_rule_origins(
    const std::string& file,
    const std::function<void(std::string_view rule, const RuleOrigin& origin)>& visit);
// A missing file, or an empty name: no origins.
Result<RuleOrigins> read_rule_origins(const std::string& file);
// Replaces the file.
Result<void> write_rule_origins(const std::string& file, const RuleOrigins& origins);

}  // namespace steer::rules
