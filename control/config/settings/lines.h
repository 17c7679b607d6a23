// Places in a configuration, and the indices of references between settings.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "matchers/secret.h"

namespace steer::config {

using Milliseconds = std::chrono::milliseconds;
using PluginIndex = std::uint32_t;    // index of Settings::plugins
using RouterIndex = std::uint32_t;    // index of Settings::routers
using OpnsenseIndex = std::uint32_t;  // index of Settings::opnsense

inline constexpr int kLinesPerSource = 1 << 24;
// For a line number in Settings: the source (0: the configuration, n: the n-th included file), and
// the line in it.
constexpr std::size_t source_of(int line) {
    return line < 0 ? 0 : static_cast<std::size_t>(line / kLinesPerSource);
}
constexpr int line_in_source(int line) {
    return line < 0 ? 0 : line % kLinesPerSource;
}

// The texts of the configuration and its included files as they were read, by name. They can hold
// passwords.
using SourceTexts = std::map<std::string, Secret>;

struct Text {
    std::string value;
    int line = 0;
};

// The place of something in the file; ignored when settings are compared.
struct Line {
    int number = 0;
    Line() = default;
    Line(int n) : number(n) {}               // NOLINT(google-explicit-constructor): it is a number
    operator int() const { return number; }  // NOLINT(google-explicit-constructor)
    bool operator==(const Line&) const { return true; }
};

}  // namespace steer::config
