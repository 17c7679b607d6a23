// A configuration of ForgeDNS, OxiDNS or mosdns as a tree that can be changed and written again.
//
// Reading accepts YAML of at most kMaxNodes nodes (aliases expanded) and 100 levels, and drops
// comments.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

struct Tree {
    enum class Kind : std::uint8_t { nothing, text, list, map };
    Kind kind = Kind::nothing;
    int line = 0;
    std::string text;
    std::vector<Tree> items;
    struct Entry;
    std::vector<Entry> entries;

    static Tree of(std::string_view text);
    [[nodiscard]] bool is_map() const { return kind == Kind::map; }
    [[nodiscard]] bool is_list() const { return kind == Kind::list; }
    [[nodiscard]] bool is_text() const { return kind == Kind::text; }
    // Returns true for no value, an empty text, and a list or map without items.
    [[nodiscard]] bool is_empty() const;
    [[nodiscard]] Tree* find(std::string_view key);
    [[nodiscard]] const Tree* find(std::string_view key) const;
    // Returns the text of a key; empty if there is none.
    [[nodiscard]] std::string_view get(std::string_view key) const;
    void set(std::string_view key, Tree value);
    void remove(std::string_view key);
};

struct Tree::Entry {
    Entry(std::string_view key, Tree value) : first(key), second(std::move(value)) {}
    std::string first;
    Tree second;
};

inline constexpr std::size_t kMaxNodes = 200'000;

std::variant<Tree, Failure> read_tree(std::string_view yaml);

// Writes lines in block style, each after `indent` blanks; short maps and lists of texts are on one
// line. `placeholders`: `${NAME}` also has a meaning in our configuration, and stays unchanged.
std::string write_tree(const Tree& tree, std::size_t indent, bool placeholders);

}  // namespace steer::importing
