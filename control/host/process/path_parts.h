// The parts of a path and the target of a link, for code that follows links itself (hand_over(),
// FilesAs).
#pragma once

#include <unistd.h>

#include <array>
#include <climits>
#include <string>
#include <vector>

namespace steer {

inline constexpr unsigned kMaxLinksOfPath = 40;  // the kernel's limit

// "a//b/" → "a", "b", in the order of the walk, last one first.
inline std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t end = path.size(); end > 0;) {
        const std::size_t slash = path.rfind('/', end - 1);
        const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
        if (start < end) parts.push_back(path.substr(start, end - start));
        end = slash == std::string::npos ? 0 : slash;
    }
    return parts;
}

// The target of a link that is open with O_PATH. Empty: an error, see errno.
inline std::string target_of(int link) {
    std::array<char, PATH_MAX> text{};
    const ssize_t n = ::readlinkat(link, "", text.data(), text.size());
    return n <= 0 ? std::string{} : std::string(text.data(), static_cast<std::size_t>(n));
}

}  // namespace steer
