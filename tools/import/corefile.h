// A Corefile as CoreDNS reads it: server blocks with their directives, snippets inserted at their
// imports, and `{$NAME}` replaced by the environment variable.
//
// Guarantees: every token is in a directive, or the read fails (missing brace, unknown snippet,
// endless recursion of snippets).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

struct Directive {
    int line = 0;
    std::string name;
    std::vector<std::string> args;
    std::vector<Directive> body;  // within its braces
};

struct ServerBlock {
    int line = 0;
    std::vector<std::string> keys;  // "example.org:1053", "tls://.", "."
    std::vector<Directive> body;
};

struct Corefile {
    std::vector<ServerBlock> blocks;
    std::vector<Note> notes;  // variables that are not set, files that are not read
    std::optional<Failure> failure;
};

using Environment = std::function<std::optional<std::string>(const std::string&)>;

Corefile read_corefile(std::string_view text, const Environment& environment);

}  // namespace steer::importing
