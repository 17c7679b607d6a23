// Drops root after the start: switches to another user, with the few capabilities that a running
// appliance needs. CAP_NET_ADMIN and CAP_BPF: changing addresses and XDP maps. CAP_NET_RAW: AF_XDP
// sockets. CAP_NET_BIND_SERVICE: port 53 on an address that appears later. CAP_IPC_LOCK: packet
// memory for an interface that returns. A process keeps those that it has; one that was started
// without them (in a container) works without them. Other processes drop capabilities with
// keep_only_capabilities(): the pattern compiler drops all, the starter (starter.h) and
// steerdns-sets drop all except CAP_NET_ADMIN.
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

// The names ("CAP_BPF") of those of the first four that this process lacks.
std::vector<std::string> lacking_capabilities();

// For this process and its children: no new privileges by execve(2), and an empty capability
// bounding set. Before that, it makes CAP_NET_ADMIN inheritable, so that a Starter can give it to
// steerdns-sets. Call it before the first thread and before the Starter. This process's own
// privileges do not change. Failures are ignored (a container may lack CAP_SETPCAP).
void harden_process();

// Drops all capabilities except these (CAP_... of <linux/capability.h>), and adds none. For helper
// processes, before their first thread. `inheritable`: those of them that programs get which this
// process executes (ambient capabilities).
void keep_only_capabilities(std::span<const int> kept, std::span<const int> inheritable = {});

// Changes the owner of `path` to the user. This is safe against changes of the path: each component
// is opened without following links and checked before the next one, and then the owner of the open
// file is changed. It follows a link that belongs to root. It does not change any other link or its
// target. It does not change a file with several names either, because its other name may not be
// ours. Returns false with the reason in errno. `at_each_part` is for tests: called before each
// component is opened, and once before the owner changes.
bool hand_over(const std::string& path, uid_t uid, gid_t gid,
               const std::function<void(const std::string& part)>& at_each_part = {});

// The folders of this program, which root passes to the user.
inline constexpr const char* kStateFolder = "/var/lib/steerdns";
inline constexpr const char* kRunFolder = "/run/steerdns";
// Creates kStateFolder and passes it to the user, so that FilesAs can work in it. Does the same for
// kRunFolder if the control socket belongs there and the user is not `nobody`. Does nothing if we
// are not root. Failures are ignored: the writers report them.
void give_own_folders(const std::string& user, const std::string& control_socket);

// Whether `path` is `folder` or below it, by its text. Links and `..` cannot lead outside, because
// hand_over() follows only root's links.
bool is_at_or_below(const std::string& path, const std::string& folder);

// Whether the user is `nobody`. Its files belong to every process without a user of its own (an NFS
// server's clients, other daemons).
bool is_nobody(const std::string& user);

// The capabilities that depend on the ports and are needed while the daemon serves.
struct KeptCapabilities {
    bool net_admin = true;  // interfaces that return, neighbours, sysctls
    bool bpf = true;        // maps of XDP programs, on kernels that require it for them
};

// Switches to `user` in every thread. The calling thread, and threads that it creates later, keep
// the capabilities. Existing threads (DPDK's lcores) lose them and need none. The user becomes
// owner of the paths in `handed` (empty ones are skipped): the control socket, and its folder so
// that the socket can be removed at the end. `groups`: of the process beside the user's own. The
// starter in use becomes that user, too.
Result<void> drop_rights(const std::string& user, const std::vector<std::string>& handed,
                         const KeptCapabilities& kept = {}, const std::vector<gid_t>& groups = {});

// Whether threads without CAP_BPF may change maps of BPF programs that are open, as in Linux 6.0
// and later. `map`: a descriptor of any map.
bool maps_need_no_capability(int map);

}  // namespace steer
