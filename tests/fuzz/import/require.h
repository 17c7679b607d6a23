// What holds for the result of every import, whatever the input: a sentence, or YAML in which every line is ours.
#pragma once

#include <cstdlib>

#include "tools/import/note.h"

namespace fuzz {

inline void require(bool holds) {
    if (!holds) std::abort();
}

inline bool is_sentence(const std::string& text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    return !text.empty();
}

inline void check(const steer::importing::Imported& made) {
    if (made.failure) {
        require(is_sentence(made.failure->text) && made.failure->line >= 0 && made.yaml.empty());
        return;
    }
    require(made.yaml.starts_with("# Made by 'steerctl import "));
    require(made.yaml.find("\nplugins:\n") != std::string::npos);
    require(made.yaml.find('\0') == std::string::npos && made.yaml.find('\r') == std::string::npos);
}

}  // namespace fuzz
