// The UNIX socket that connects the two sides of a memif. It is checked before DPDK opens it, for
// two reasons. DPDK's errors are only numbers. And a stale socket of a killed server would prevent
// the next start.
#pragma once

#include <string>

#include "matchers/result.h"

namespace steer {

// `arguments` of net_memif ("socket=/run/m.sock,socket-abstract=no,role=server"). Removes a
// server's stale socket. Errors: another process serves it (role=server), no process does
// (role=client), the path is not a socket.
Result<void> prepare_memif_socket(const std::string& arguments);

// The value of `key=` in a devargs string; "" if it is missing.
std::string device_argument(const std::string& arguments, const std::string& key);

}  // namespace steer
