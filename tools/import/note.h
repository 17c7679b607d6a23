// Notes and failures of an import: sentences for the operator. No function throws.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace steer::importing {

// A setting that was not imported, or has another meaning now.
struct Note {
    std::string place;  // "line 12", "row 3 of /ip/dns/static"; empty: the input as a whole
    std::string text;
};

// Why the input cannot be read at all.
struct Failure {
    int line = 0;  // 0: the input as a whole
    std::string text;
};

struct Imported {
    std::string yaml;
    std::vector<Note> notes;
    std::optional<Failure> failure;  // with a failure there is no YAML
};

inline std::string line_place(int line) {
    return "line " + std::to_string(line);
}

}  // namespace steer::importing
