// The decision about a query: its end, the upstreams that it needs, its lists, and the rule.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/policy/decision.h"

namespace steer::replay {

// Who answers. Two ends that differ only in the reason for asking an upstream are one: allowed,
// rewritten and steered are `forwarded` here, and in Decision::policy.
using Ending = PolicyDecision;

// A question to an upstream group.
struct Ask {
    std::string forward;                 // its tag
    std::vector<std::string> upstreams;  // of the group
    std::string name;                    // if it differs from the client's
    std::string type;                    // if it differs from the client's

    // Compares destinations and questions. The group's name is not a part of it.
    bool operator==(const Ask& other) const {
        return upstreams == other.upstreams && name == other.name && type == other.type;
    }
};

struct RulePlace {
    std::string text, file;
    unsigned line = 0;  // 0: none
};

struct Decision {
    Ending ending = Ending::empty;
    PolicyDecision policy = PolicyDecision::empty;  // the word of a query's record
    std::vector<Ask> asks;                          // in order
    std::string answer;                             // without an upstream: rcode and records
    std::vector<std::string> lists;  // lists that claim the answer if it has addresses
    std::vector<std::string> sets;   // of the name
    RulePlace rule;                  // the rule that answered, forwarded or dropped
    RulePlace because;               // the last true test before it
    std::string unknown;             // the missing fact; empty: none
    std::size_t sure_asks = 0;       // upstream queries before that fact was needed

    [[nodiscard]] bool is_known() const { return unknown.empty(); }
};

enum class Compared : std::uint8_t { same, different, unknown };
// unknown: a fact is missing, and the known part does not differ.
Compared compare(const Decision& before, const Decision& after);

// {"end", "decision", "text", "asks": [{"forward", "upstreams", "name", "type"}], "answer", "lists", "sets",
// "rule", "file", "line", "because", "because_line", "unknown"}; without empty ones, except `end`
// and `text`.
boost::json::object to_json(const Decision& decision);
// One line.
std::string text_of(const Decision& decision);

}  // namespace steer::replay
