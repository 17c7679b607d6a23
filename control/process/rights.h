// Gives up root after the start: another user, with the few capabilities that a running appliance needs
// (CAP_NET_ADMIN and CAP_BPF: addresses and XDP maps that change; CAP_NET_RAW: AF_XDP sockets;
// CAP_NET_BIND_SERVICE: port 53 on an address that appears later; CAP_IPC_LOCK: packet memory for an interface that
// comes back). Of these it keeps what it has: who started without one, as in a container, has served without it so far.
// The programs that it starts give up what they got with keep_only_capabilities(): the process that compiles patterns all,
// steerdns-sets all but CAP_NET_ADMIN (LendNetAdmin).
#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

// Whom to become: `wanted` (an Error if there is no such user), or without a wish `steerdns` if it
// exists, else `nobody`. Says the name. Nothing to do (and an empty name) if we are not root.
Result<std::string> resolve_user(const std::string& wanted);

// "CAP_BPF": those of the first four that this process has not got.
std::vector<std::string> lacking_capabilities();

// For this process and all that it may start: no new privileges by execve(2), nothing in the capabilities' bounding set.
// CAP_NET_ADMIN becomes inheritable before, so that LendNetAdmin can lend it. Before the first thread; nothing that it may
// do itself changes. What cannot be is left (a container may lack CAP_SETPCAP, and what it has not cannot be given).
void harden_process();

// While it exists, a process that this thread starts has CAP_NET_ADMIN, if this thread has it. Needs harden_process().
class LendNetAdmin {
  public:
    LendNetAdmin();
    ~LendNetAdmin();
    LendNetAdmin(const LendNetAdmin&) = delete;
    LendNetAdmin& operator=(const LendNetAdmin&) = delete;
};

// Gives up all capabilities but these (CAP_... of <linux/capability.h>), and adds none. For helper processes, before their
// first thread.
void keep_only_capabilities(std::span<const int> kept);

// Gives what lies at `path` to the user, and nothing else whatever happens to the path meanwhile: each part of it is
// opened without following links and is looked at before the next, and the owner of what is open is changed. A link that
// belongs to root is followed. One that does not is left alone with all that it leads to, and so is a file with several
// names: its other name may be a file that is not ours to give. False: errno says why not.
// `at_each_part` is for tests: called before each part is opened, and once before the owner changes.
bool hand_over(const std::string& path, uid_t uid, gid_t gid,
               const std::function<void(const std::string& part)>& at_each_part = {});

// Whether that user is the one that stands for nobody: what belongs to it belongs to every process that has no user of
// its own (an NFS server's clients, other daemons without a user).
bool is_nobody(const std::string& user);

// Becomes `user` in every thread. The calling thread, and threads that it makes later, keep the
// capabilities; threads that exist already (DPDK's lcores) have none afterwards and need none. The paths in `handed`
// (empty ones are skipped) become the user's: the control socket, and its folder so that it can be removed at the end.
Result<void> drop_rights(const std::string& user, const std::vector<std::string>& handed);

}  // namespace steer
