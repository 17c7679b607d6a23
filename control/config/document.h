// A configuration's text as a tree of nodes with line numbers. Only this file uses the YAML
// library.
//
// Accepts YAML 1.2's maps, lists and scalars; copies aliases in place. Reports as errors: syntax
// errors, a repeated key in a map, keys that are not scalars, and a second document. Also a type
// mark (`!x`) or an anchor that was meant as text, more than kMaxDepth levels, and more than
// kMaxNodes nodes after copying aliases.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/report.h"

namespace steer::config {

inline constexpr std::size_t kMaxDepth = 40;
inline constexpr std::size_t kMaxNodes = 1'000'000;

struct Entry;

struct Node {
    enum class Kind : std::uint8_t { null, text, list, map };
    Kind kind = Kind::null;
    bool replaced = false;  // part of `text` is from the environment
    int line = 0;
    std::string text;            // Kind::text
    std::vector<Node> items;     // Kind::list
    std::vector<Entry> entries;  // Kind::map, in the order of the text

    [[nodiscard]] bool is_null() const { return kind == Kind::null; }
    [[nodiscard]] bool is_text() const { return kind == Kind::text; }
    [[nodiscard]] bool is_list() const { return kind == Kind::list; }
    [[nodiscard]] bool is_map() const { return kind == Kind::map; }
    // The value of a key; nullptr if the key is missing or this is not a map.
    [[nodiscard]] const Node* find(std::string_view key) const;
    // "nothing", "text", "a list", "a map".
    [[nodiscard]] std::string_view what() const;
};

struct Entry {
    std::string key;
    int line = 0;
    Node value;
};

// Parses `text`. Errors go to `report`, and then the node is null. Line numbers start at `before` +
// 1 (settings.h: source_of).
Node parse_document(std::string_view text, Report& report, int before = 0);

}  // namespace steer::config
