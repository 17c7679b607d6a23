#include "control/host/process/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "dataplane/port/descriptor.h"

namespace steer {
namespace {

struct Messages {
    std::mutex mutex;
    std::map<std::string, std::string, std::less<>> left;  // assignments by variable
};
// Never destroyed, because a thread may run after the end of main().
Messages& messages() {
    static Messages& one = *new Messages;
    return one;
}

// False: no room now. The kernel has the message, or it can never have it: true.
bool send_now(std::string_view text) {
    const char* const path = std::getenv("NOTIFY_SOCKET");  // NOLINT: nothing sets variables
    sockaddr_un to{};
    const std::size_t size = path == nullptr ? 0 : std::strlen(path);
    if (size == 0 || size >= sizeof to.sun_path) return true;
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path, size);
    if (path[0] == '@') to.sun_path[0] = '\0';  // unix(7): an abstract address
    const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size + (path[0] == '/' ? 1 : 0));
    return socket.get() < 0 ||
           ::sendto(socket.get(), text.data(), text.size(), MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&to), length) >= 0 ||
           (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

// Under the mutex.
void send_left(Messages& all) {
    std::erase_if(all.left, [](const auto& one) { return send_now(one.second); });
}

}  // namespace

void notify_service_manager(std::string_view assignment) {
    Messages& all = messages();
    const std::scoped_lock lock(all.mutex);
    send_left(all);
    if (all.left.empty() && send_now(assignment)) return;
    all.left.insert_or_assign(std::string(assignment.substr(0, assignment.find('='))),
                              std::string(assignment));
}

void notify_service_manager_again() {
    Messages& all = messages();
    const std::scoped_lock lock(all.mutex);
    send_left(all);
}

}  // namespace steer
