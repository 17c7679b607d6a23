// The UNIX socket at which two sides of a memif meet. It is checked before DPDK opens it, because DPDK's errors are
// only numbers, and a stale socket of a killed server would prevent the next start.
#pragma once

#include <string>

#include "matchers/result.h"

namespace steer {

// `arguments` of net_memif ("socket=/run/m.sock,socket-abstract=no,role=server"). Removes a server's stale socket.
// Errors: another process serves it (role=server), no process does (role=client), the path is not a socket.
Result<void> prepare_memif_socket(const std::string& arguments);

// The value of `key=` in a devargs string; "": missing.
std::string device_argument(const std::string& arguments, const std::string& key);

}  // namespace steer
