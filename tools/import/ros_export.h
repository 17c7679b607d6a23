// The text that RouterOS's /export writes, or that people paste into its terminal: commands, each
// with its menu.
//
// Guarantees: every byte of any text is in a statement, in a note, or skipped by the rules of the
// syntax. Nothing is evaluated. A text that ends within quotes or brackets, or has zero bytes,
// cannot be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

struct RosValue {
    std::string name, text;
    int line = 0;
    bool is_expression = false;  // `$variable`, `[command]`, `(expression)`: known only to a router
};

struct RosStatement {
    int line = 0;
    std::string menu;                // "/ip/dns/static"
    std::string verb;                // "add"
    std::vector<RosValue> values;    // `name=text`
    std::vector<std::string> words;  // the other words: numbers, [find ...]
};

struct RosExport {
    bool has_header = false;
    std::string version;  // "7.16.1"; empty: not in the header
    std::vector<RosStatement> statements;
    std::vector<Note> notes;  // script commands
    std::optional<Failure> failure;
};

RosExport read_ros_export(std::string_view text);

}  // namespace steer::importing
