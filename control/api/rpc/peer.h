// The process at the other end of a UNIX socket, and its role.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/role.h"
#include "control/config/settings/section_settings.h"
#include "matchers/result.h"

namespace steer::ops {

// The credentials of the peer when it connected: SO_PEERCRED and SO_PEERGROUPS of unix(7).
struct Peer {
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t pid = 0;
    std::vector<gid_t> groups = {};  // supplementary

    // "uid 0, gid 0, pid 4711"
    [[nodiscard]] std::string text() const;
};

// Error: the kernel does not know the peer.
Result<Peer> peer_of(int socket);

// The process that listens on the UNIX socket at `path`. No value: none does, or another PID
// namespace has it.
[[nodiscard]] std::optional<pid_t> listener_at(const std::string& path);

// The role of each peer. root is admin. Without rows, every user who may open the socket is admin.
// Else a peer has the highest role of the rows with its user or one of its groups.
class PeerRoles {
  public:
    PeerRoles() = default;
    // Resolves names to numbers by the system. Blocks.
    static Result<PeerRoles> resolve(const std::vector<config::PeerRole>& rows);

    [[nodiscard]] AccessRole of(const Peer& peer) const;
    // Whether every local user may connect, because roles decide what it may do.
    [[nodiscard]] bool are_set() const { return !rows_.empty(); }

  private:
    struct Row {
        bool is_group;
        id_t id;
        AccessRole role;
    };
    std::vector<Row> rows_;
};

// The names of the users in /etc/passwd at the start: no later read needs the file, or waits.
class UserNames {
  public:
    // Empty if the file cannot be read. Blocks.
    static UserNames load(const char* file = "/etc/passwd");

    // "anna"; "user 1000" if the file has no name.
    [[nodiscard]] std::string of(uid_t uid) const;

  private:
    std::map<uid_t, std::string> names_;
};

// What a report shows for `who` of a request: "uid 1000, gid 1000, pid 4711", as files of earlier
// versions have it, is "uid 1000".
std::string without_process(std::string_view who);

}  // namespace steer::ops
