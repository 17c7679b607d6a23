#include "dataplane/port/memif_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace steer {
namespace {

constexpr const char* kDefaultPath = "/run/memif.sock";  // of net_memif

// 0: a process listens there; else the errno.
int try_to_connect(const std::string& path, bool abstract) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t at = abstract ? 1 : 0;
    if (path.size() + at >= sizeof address.sun_path) return ENAMETOOLONG;
    path.copy(address.sun_path + at, path.size());
    // An abstract name is the complete field, zeros included, as net_memif binds it.
    const auto length = static_cast<socklen_t>(
        abstract ? sizeof address : offsetof(sockaddr_un, sun_path) + path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    const int error =
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0 : errno;
    ::close(fd);
    return error;
}

Result<void> prepare_server(const std::string& path, bool abstract, int error) {
    if (error == 0) {
        return Error{"memif socket " + path +
                     " is served by another process: stop that one, or name another socket"};
    }
    if (abstract || error == ENOENT) return {};
    std::error_code failed;
    if (error == ECONNREFUSED && !std::filesystem::is_socket(path, failed)) error = EEXIST;
    if (error == ECONNREFUSED) {
        if (::unlink(path.c_str()) == 0) return {};
        error = errno;
    }
    return Error{"memif socket " + path + " cannot be made: " + std::strerror(error) +
                 "; remove what is there, or name another socket"};
}

}  // namespace

std::string device_argument(const std::string& arguments, const std::string& key) {
    for (std::size_t at = 0; at < arguments.size();) {
        const std::size_t end = std::min(arguments.find(',', at), arguments.size());
        const std::string one = arguments.substr(at, end - at);
        if (one.starts_with(key + "=")) return one.substr(key.size() + 1);
        at = end + 1;
    }
    return {};
}

Result<void> prepare_memif_socket(const std::string& arguments) {
    const std::string given = device_argument(arguments, "socket");
    const std::string path = given.empty() ? kDefaultPath : given;
    const bool abstract = device_argument(arguments, "socket-abstract") != "no";
    const std::string role = device_argument(arguments, "role");
    const int error = try_to_connect(path, abstract);
    if (role == "server" || role == "master") return prepare_server(path, abstract, error);
    const bool is_client = role.empty() || role == "client" || role == "slave";
    if (error == 0 || !is_client) return {};  // the driver reports unknown words
    return Error{
        "no process serves memif socket " + path + " (" + std::strerror(error) +
        "): start that side first, or be the server with role=server" +
        (abstract ? "; if the other side's socket is a file, add socket-abstract=no" : "")};
}

}  // namespace steer
