#include "control/api/rpc/peer.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "dataplane/port/descriptor.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::ops {
namespace {

constexpr uid_t kNobody = 65'534;
constexpr std::size_t kMaxGroups = 65'536;  // NGROUPS_MAX of Linux

std::optional<id_t> id_of(const config::PeerRole& row) {
    id_t id = 0;
    const char* const end = row.name().data() + row.name().size();
    if (const auto read = std::from_chars(row.name().data(), end, id);
        read.ec == std::errc{} && read.ptr == end)
        return id;
    if (row.is_group()) {
        const group* const found =
            ::getgrnam(row.name().c_str());  // NOLINT: at the start, one thread
        return found != nullptr ? std::optional<id_t>(found->gr_gid) : std::nullopt;
    }
    const passwd* const found = ::getpwnam(row.name().c_str());  // NOLINT: as above
    return found != nullptr ? std::optional<id_t>(found->pw_uid) : std::nullopt;
}

}  // namespace

std::string Peer::text() const {
    return "uid " + std::to_string(uid) + ", gid " + std::to_string(gid) + ", pid " +
           std::to_string(pid);
}

std::optional<pid_t> listener_at(const std::string& path) {
    sockaddr_un to{};
    if (path.size() >= sizeof to.sun_path) return std::nullopt;
    to.sun_family = AF_UNIX;
    path.copy(&to.sun_path[0], path.size());
    const steer::Descriptor socket(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        return std::nullopt;
    const auto listener = peer_of(socket.get());
    if (!listener || listener->pid <= 0) return std::nullopt;
    return listener->pid;
}

Result<Peer> peer_of(int socket) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return Error{"the credentials of a client cannot be read: " +
                     std::string(std::strerror(errno))};
    Peer peer{who.uid, who.gid, who.pid};
    size = 0;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) == 0 || errno != ERANGE)
        return peer;
    peer.groups.resize(std::min(size / sizeof(gid_t), kMaxGroups));
    size = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) != 0)
        peer.groups.clear();
    return peer;
}

Result<PeerRoles> PeerRoles::resolve(const std::vector<config::PeerRole>& rows) {
    PeerRoles roles;
    for (const config::PeerRole& row : rows) {
        const auto id = id_of(row);
        if (!id) {
            const std::string what = row.is_group() ? "group " : "user ";
            return Error{"'roles' of 'control': this machine has no " + what +
                             matchers::quoted(row.name()) + "; create it, or remove the row",
                         {},
                         row.line};
        }
        roles.rows_.push_back({row.is_group(), *id, row.role});
    }
    return roles;
}

AccessRole PeerRoles::of(const Peer& peer) const {
    // The doctor's unit runs as our user. As `nobody`, other programs do, too.
    const bool is_ours = peer.uid == ::geteuid() && peer.uid != kNobody;
    if (peer.uid == 0 || is_ours || rows_.empty()) return AccessRole::admin;
    AccessRole role = AccessRole::none;
    for (const Row& row : rows_) {
        const bool is_its =
            row.is_group ? row.id == peer.gid || std::find(peer.groups.begin(), peer.groups.end(),
                                                           row.id) != peer.groups.end()
                         : row.id == peer.uid;
        if (is_its) role = std::max(role, row.role);
    }
    return role;
}

UserNames UserNames::load(const char* file) {
    UserNames out;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> users(std::fopen(file, "re"),
                                                                std::fclose);
    if (users == nullptr) return out;
    constexpr std::size_t kLine = 4'096, kMostUsers = 65'536;
    std::array<char, kLine> room{};
    passwd entry{}, *found = nullptr;
    while (out.names_.size() < kMostUsers &&
           ::fgetpwent_r(users.get(), &entry, room.data(), room.size(), &found) == 0)
        out.names_.try_emplace(entry.pw_uid, safe_text(entry.pw_name));
    return out;
}

std::string UserNames::of(uid_t uid) const {
    const auto at = names_.find(uid);
    return at != names_.end() ? at->second : "user " + std::to_string(uid);
}

std::string without_process(std::string_view who) {
    const auto end = who.find(", gid ");
    return std::string(who.starts_with("uid ") ? who.substr(0, end) : who);
}

}  // namespace steer::ops
