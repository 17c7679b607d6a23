// A whole file that the operator names.
#pragma once

#include <array>
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
    if (!in.is_open()) return std::nullopt;
    std::string text;
    std::array<char, 65'536> part;
    do {  // read() turns the error of a folder into badbit, an iterator throws it
        in.read(part.data(), part.size());
        text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    } while (in);
    if (in.bad()) return std::nullopt;
    return text;
}

}  // namespace steerctl
