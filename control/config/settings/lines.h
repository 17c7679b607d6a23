// Places in a configuration, and the indices by which settings refer to each other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "matchers/secret.h"

namespace steer::config {

using Milliseconds = std::chrono::milliseconds;
using PluginIndex = std::uint32_t;    // of Settings::plugins
using RouterIndex = std::uint32_t;    // of Settings::routers
using OpnsenseIndex = std::uint32_t;  // of Settings::opnsense

inline constexpr int kLinesPerSource = 1 << 24;
// Of a line as Settings has it: which source (0: the configuration, n: the n-th included file), and
// the line in it.
constexpr std::size_t source_of(int line) {
    return line < 0 ? 0 : static_cast<std::size_t>(line / kLinesPerSource);
}
constexpr int line_in_source(int line) {
    return line < 0 ? 0 : line % kLinesPerSource;
}

// The configuration and its included files, by name, as they were read. They can hold passwords.
using SourceTexts = std::map<std::string, Secret>;

struct Text {
    std::string value;
    int line = 0;
};

// Where something is written; of no account when settings are compared.
struct Line {
    int number = 0;
    Line() = default;
    Line(int n) : number(n) {}               // NOLINT(google-explicit-constructor): it is a number
    operator int() const { return number; }  // NOLINT(google-explicit-constructor)
    bool operator==(const Line&) const { return true; }
};

}  // namespace steer::config
