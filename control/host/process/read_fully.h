// Reads bytes of a file, repeating read(2) as needed.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace steer {

// Returns false if the file is shorter, or cannot be read.
inline bool read_fully(int fd, void* to, std::size_t n) {
    auto* at = static_cast<char*>(to);
    while (n > 0) {
        const ssize_t got = ::read(fd, at, n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        n -= static_cast<std::size_t>(got);
    }
    return true;
}

}  // namespace steer
