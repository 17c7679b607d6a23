// The UNIX socket that two sides of a memif meet at, looked at before DPDK does: its refusals are numbers, and
// the socket that a killed server leaves behind would keep the next one from starting.
#pragma once

#include <string>

#include "matchers/result.h"

namespace steer {

// `arguments` of net_memif ("socket=/run/m.sock,socket-abstract=no,role=server"). A server's left-over socket is
// removed. Errors: another process serves it (role=server), nobody does (role=client), it is something else.
Result<void> prepare_memif_socket(const std::string& arguments);

// The value of `key=` in a devargs string; "": it is not there.
std::string device_argument(const std::string& arguments, const std::string& key);

}  // namespace steer
