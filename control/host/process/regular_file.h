// Reads files that may be damaged, or in whose place something else may be.
//
// Opens without waiting (a FIFO would wait for a writer), and reads regular files only (a folder
// can be opened, and then fails at the first read). Does not throw, except std::bad_alloc.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "control/host/process/read_fully.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

// `more_flags`: of open(2). No descriptor: errno is the reason; 0: it is not a regular file.
inline Descriptor open_regular(const std::string& path, int more_flags = 0) {
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | more_flags));
    struct stat is {};
    if (fd.get() < 0) return fd;
    if (::fstat(fd.get(), &is) == 0 && S_ISREG(is.st_mode)) return fd;
    errno = 0;
    return Descriptor(-1);
}

// The reason of open_regular() as text.
inline std::string why_not_open(int error) {
    return error == 0 ? "it is not a regular file" : std::strerror(error);
}

// The content of a file, as a string or a vector of bytes; no value: there is no such file. Error:
// the reason alone ("Permission denied").
template <class Content = std::string>
Result<std::optional<Content>> read_regular(const std::string& path,
                                            std::size_t most_bytes = SIZE_MAX, int more_flags = 0) {
    const Descriptor fd = open_regular(path, more_flags);
    if (fd.get() < 0) {
        if (errno == ENOENT) return std::optional<Content>{};
        return Error{why_not_open(errno)};
    }
    struct stat is {};
    if (::fstat(fd.get(), &is) != 0) return Error{std::strerror(errno)};
    const auto size = static_cast<std::size_t>(is.st_size);
    if (size > most_bytes)
        return Error{"it has more than " + std::to_string(most_bytes) + " bytes"};
    Content content(size, typename Content::value_type{});
    errno = 0;
    if (!read_fully(fd.get(), content.data(), content.size()))
        return Error{errno == 0 ? "it became shorter" : std::strerror(errno)};
    return {boost::system::in_place_value, std::optional<Content>(std::move(content))};
}

}  // namespace steer
