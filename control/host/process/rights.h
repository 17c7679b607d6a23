// Drops root after the start: switches to another user, with the few capabilities that a running appliance needs
// (CAP_NET_ADMIN and CAP_BPF: changing addresses and XDP maps; CAP_NET_RAW: AF_XDP sockets;
// CAP_NET_BIND_SERVICE: port 53 on an address that appears later; CAP_IPC_LOCK: packet memory for an interface that
// comes back). It keeps those of them that it has; a process started without one (in a container) works without it.
// Other processes drop capabilities with keep_only_capabilities(): the pattern compiler all, the starter (starter.h) and
// steerdns-sets all except CAP_NET_ADMIN.
#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

// The user to switch to: `wanted` (an Error if there is no such user), else `steerdns` if it
// exists, else `nobody`. Returns its name; empty if we are not root.
Result<std::string> resolve_user(const std::string& wanted);

// "CAP_BPF": those of the first four that this process lacks.
std::vector<std::string> lacking_capabilities();

// For this process and its children: no new privileges by execve(2), an empty capability bounding set.
// CAP_NET_ADMIN becomes inheritable first, so that a Starter can give it to steerdns-sets. Call it before the first thread and
// before the Starter; this process's own privileges do not change. Failures are ignored (a container may lack CAP_SETPCAP).
void harden_process();

// Gives up all capabilities but these (CAP_... of <linux/capability.h>), and adds none. For helper processes, before their
// first thread. `inheritable`: those of them that programs can get which this process executes (ambient capabilities).
void keep_only_capabilities(std::span<const int> kept, std::span<const int> inheritable = {});

// Changes the owner of `path` to the user, safely against changes of the path: each component is
// opened without following links and checked before the next, and the owner of the open file is changed. A link that
// belongs to root is followed. Any other link is left alone with its target, and so is a file with several
// names, because its other name may not be ours. False: errno has the reason.
// `at_each_part` is for tests: called before each component is opened, and once before the owner changes.
bool hand_over(const std::string& path, uid_t uid, gid_t gid,
               const std::function<void(const std::string& part)>& at_each_part = {});

// The folders of this program, which root gives to the user.
inline constexpr const char* kStateFolder = "/var/lib/steerdns";
inline constexpr const char* kRunFolder = "/run/steerdns";
// Creates kStateFolder and gives it to the user, so that FilesAs can work in it. Gives it kRunFolder, too, if the control
// socket belongs there and the user is not `nobody`. Does nothing if we are not root. Failures are ignored: the writers
// report it.
void give_own_folders(const std::string& user, const std::string& control_socket);

// Whether `path` is `folder` or below it, by its text; links and `..` in it do not lead out of it
// (hand_over() follows no link that is not root's).
bool is_at_or_below(const std::string& path, const std::string& folder);

// Whether the user is `nobody`: its files belong to every process without a user of
// its own (an NFS server's clients, other daemons without a user).
bool is_nobody(const std::string& user);

// Which of the capabilities that depend on the ports are needed while the daemon serves.
struct KeptCapabilities {
    bool net_admin = true;  // interfaces that come back, neighbours, sysctls
    bool bpf = true;        // maps of XDP programs, on kernels that want it for them
};

// Switches to `user` in every thread. The calling thread, and threads that it creates later, keep the
// capabilities; existing threads (DPDK's lcores) lose them and need none. The user becomes owner of the paths in `handed`
// (empty ones are skipped): the control socket, and its folder so that it can be removed at the end. The starter in use
// becomes that user, too.
Result<void> drop_rights(const std::string& user, const std::vector<std::string>& handed,
                         const KeptCapabilities& kept = {});

// Whether threads without CAP_BPF may change maps of BPF programs that are open, as in Linux 6.0 and later. `map`: a
// descriptor of any map.
bool maps_need_no_capability(int map);

}  // namespace steer
