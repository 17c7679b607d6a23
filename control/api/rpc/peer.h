// The process at the other end of a UNIX socket, and its role.
#pragma once

#include <sys/types.h>

#include <string>
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

}  // namespace steer::ops
