#include "control/host/process/last_words.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>

namespace steer {
namespace {

// A socket is written to without waiting, even if another thread fills it after poll().
ssize_t write_once(int descriptor, std::string_view text) noexcept {
    const ssize_t sent = ::send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent >= 0 || errno != ENOTSOCK ? sent : ::write(descriptor, text.data(), text.size());
}

// All of it counts as written, so that the stream has no error.
ssize_t write_for_stream(void*, const char* text, std::size_t size) {
    (void)write_if_room(STDERR_FILENO, {text, size});
    return static_cast<ssize_t>(size);
}

}  // namespace

bool has_room(int descriptor) noexcept {
    pollfd room{descriptor, POLLOUT, 0};
    return ::poll(&room, 1, 0) > 0 && (room.revents & POLLOUT) != 0;
}

bool write_if_room(int descriptor, std::string_view text) noexcept {
    const int before = errno;
    while (!text.empty() && has_room(descriptor)) {
        const ssize_t n = write_once(descriptor, text.substr(0, PIPE_BUF));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    errno = before;
    return text.empty();
}

void keep_stderr_from_waiting() {
    std::FILE* const stream =
        ::fopencookie(nullptr, "w", {nullptr, write_for_stream, nullptr, nullptr});
    if (stream == nullptr) return;
    (void)std::setvbuf(stream, nullptr, _IONBF, 0);  // abort() writes no buffers
    stderr = stream;                                 // a variable in glibc
}

}  // namespace steer
