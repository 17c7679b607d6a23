// A whole file that the operator names.
#pragma once

#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

namespace steerctl {

// Reads the file; `-` is standard input. Returns no value if it cannot be read; errno gives the
// cause.
inline std::optional<std::string> text_of_file(const std::string& file) {
    if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::ifstream in(file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in.is_open() || in.bad()) return std::nullopt;
    return text;
}

}  // namespace steerctl
