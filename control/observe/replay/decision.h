// The decision about a query: its end, the upstreams that it needs, its lists, and the rule.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steer::replay {

//    name, description
#define STEER_REPLAY_ENDS(X)                                                \
    X(forwarded, "an upstream answers")                                     \
    X(local, "answered from records, leases or hosts of the configuration") \
    X(blocked, "denied by an ad list, a black_hole or a policy zone")       \
    X(rejected, "answered by `reject`")                                     \
    X(dropped, "no answer is sent")                                         \
    X(refused, "the client is not in `dataplane.allow`")                    \
    X(error, "a type that is not served, such as AXFR")                     \
    X(empty, "no rule answers: an empty answer is sent")
enum class Ending : std::uint8_t {
#define STEER_REPLAY_END(name, text) name,
    STEER_REPLAY_ENDS(STEER_REPLAY_END)
#undef STEER_REPLAY_END
        count_
};
#define STEER_REPLAY_LABEL(name, text) std::string_view{#name},
inline constexpr std::array kEndingLabels{STEER_REPLAY_ENDS(STEER_REPLAY_LABEL)};
#undef STEER_REPLAY_LABEL
constexpr std::string_view label_of(Ending ending) {
    return kEndingLabels[static_cast<std::size_t>(ending)];
}

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
    std::vector<Ask> asks;           // in order
    std::string answer;              // without an upstream: rcode and records
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

// {"end", "text", "asks": [{"forward", "upstreams", "name", "type"}], "answer", "lists", "sets",
// "rule", "file", "line", "because", "because_line", "unknown"}; without empty ones, except `end`
// and `text`.
boost::json::object to_json(const Decision& decision);
// One line.
std::string text_of(const Decision& decision);

}  // namespace steer::replay
