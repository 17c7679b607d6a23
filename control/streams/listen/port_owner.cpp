#include "control/streams/listen/port_owner.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

namespace steer::stream {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";  // TCP_LISTEN, as /proc/net/tcp writes it

// "0100007F" → 127.0.0.1: words of 32 bits, each in the machine's order.
std::optional<IpAddress> read_address(std::string_view hex) {
    std::array<std::uint8_t, 16> bytes{};
    if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
    for (std::size_t word = 0; word < hex.size() / 8; ++word) {
        std::uint32_t value = 0;
        const char* const at = hex.data() + word * 8;
        if (std::from_chars(at, at + 8, value, 16).ptr != at + 8) return std::nullopt;
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&value), 4,
                    bytes.begin() + static_cast<std::ptrdiff_t>(word * 4));
    }
    return hex.size() == 8 ? IpAddress::from_v4(bytes.data()) : IpAddress::from_v6(bytes.data());
}

bool is_any(const IpAddress& a) {
    constexpr std::uint8_t kZero[4]{};
    return a == IpAddress{} || a == IpAddress::from_v4(kZero);
}

// Inodes of the sockets in one of /proc/net's tables that have `where`.
void find_inodes(const char* table, const ListenAddress& where, std::set<std::string>& inodes) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string slot, local, remote, state, skip, inode;
        words >> slot >> local >> remote >> state;
        for (int i = 0; i < 5; ++i)
            words >> skip;
        words >> inode;
        const auto colon = local.find(':');
        if (colon == std::string::npos) continue;
        const auto address = read_address(std::string_view(local).substr(0, colon));
        const bool same_port = std::strtoul(local.c_str() + colon + 1, nullptr, 16) == where.port;
        const bool bound = where.transport == Transport::udp || state == kListening;
        if (address && same_port && bound && (*address == where.address || is_any(*address))) {
            inodes.insert("socket:[" + inode + "]");
        }
    }
}

std::string name_of(const fs::path& process) {
    std::ifstream file(process / "comm");
    std::string name;
    std::getline(file, name);
    return name;
}

bool has_one_of(const fs::path& process, const std::set<std::string>& inodes) {
    std::error_code error;
    for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end;
         fd.increment(error)) {
        std::error_code unreadable;
        if (inodes.contains(fs::read_symlink(fd->path(), unreadable).string())) return true;
    }
    return false;
}

}  // namespace

std::optional<PortOwner> find_port_owner(const ListenAddress& where) {
    std::set<std::string> inodes;
    const bool is_udp = where.transport == Transport::udp;
    if (where.address.is_v4())
        find_inodes(is_udp ? "/proc/net/udp" : "/proc/net/tcp", where, inodes);
    find_inodes(is_udp ? "/proc/net/udp6" : "/proc/net/tcp6", where, inodes);
    if (inodes.empty()) return std::nullopt;
    std::error_code error;
    for (fs::directory_iterator process("/proc", error), end; !error && process != end;
         process.increment(error)) {
        int pid = 0;
        const std::string text = process->path().filename().string();
        if (std::from_chars(text.data(), text.data() + text.size(), pid).ptr !=
            text.data() + text.size())
            continue;
        if (has_one_of(process->path(), inodes)) return PortOwner{pid, name_of(process->path())};
    }
    return std::nullopt;
}

}  // namespace steer::stream
