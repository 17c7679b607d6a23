// kresd.conf of Knot Resolver, which is Lua: assignments and calls with constant values.
//
// Guarantees: each statement is returned, or has a note with its first line: conditions, loops,
// functions, and values that a script computes. Nothing is run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

struct LuaEntry;

struct LuaValue {
    enum class Kind : std::uint8_t { nothing, text, number, name, call, table };
    Kind kind = Kind::nothing;
    std::string text;               // of a text; of a name or call: "policy.add", "view:addr"
    double number = 0;              // also of true (1) and false (0), which are names, too
    std::vector<LuaValue> items;    // arguments, or entries without a key
    std::vector<LuaEntry> entries;  // of a table: key = value

    [[nodiscard]] bool is_text() const { return kind == Kind::text; }
    [[nodiscard]] bool is_number() const { return kind == Kind::number; }
    [[nodiscard]] bool is_table() const { return kind == Kind::table; }
    [[nodiscard]] bool is_call(std::string_view name) const {
        return kind == Kind::call && text == name;
    }
    [[nodiscard]] bool is_name(std::string_view name) const {
        return kind == Kind::name && text == name;
    }
    // An entry of a table; nullptr: it has none.
    [[nodiscard]] const LuaValue* find(std::string_view key) const;
};

struct LuaEntry {
    std::string key;
    LuaValue value;
};

struct LuaStatement {
    int line = 0;
    std::string text;    // its first line, for notes
    std::string target;  // of an assignment: "cache.size"; an index is "hints[NAME]"
    LuaValue value;      // what is assigned, or the call
};

struct KresdFile {
    std::vector<LuaStatement> statements;
    std::vector<Note> notes;
    std::optional<Failure> failure;
};

KresdFile read_kresd(std::string_view text);

}  // namespace steer::importing
