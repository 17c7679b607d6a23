// Gives up root after the start: another user, with the few capabilities that a running appliance needs
// (CAP_NET_ADMIN and CAP_BPF: addresses and XDP maps that change; CAP_NET_RAW: AF_XDP sockets;
// CAP_NET_BIND_SERVICE: port 53 on an address that appears later; CAP_IPC_LOCK: packet memory for an interface that
// comes back). Of these it keeps what it has: who started without one, as in a container, has served without it so far.
#pragma once

#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

// Whom to become: `wanted` (an Error if there is no such user), or without a wish `steerdns` if it
// exists, else `nobody`. Says the name. Nothing to do (and an empty name) if we are not root.
Result<std::string> resolve_user(const std::string& wanted);

// "CAP_BPF": those of the first four that this process has not got.
std::vector<std::string> lacking_capabilities();

// Becomes `user` in every thread. The calling thread, and threads that it makes later, keep the
// capabilities; threads that exist already (DPDK's lcores) have none afterwards and need none. The paths in `handed`
// (empty ones are skipped) become the user's: the control socket, and its folder so that it can be removed at the end.
Result<void> drop_rights(const std::string& user, const std::vector<std::string>& handed);

}  // namespace steer
