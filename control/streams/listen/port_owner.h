// The owner of a port, as far as /proc shows it, for the error about a port in use.
#pragma once

#include <optional>
#include <string>

#include "control/streams/listen/listen_socket.h"

namespace steer::stream {

struct PortOwner {
    int pid;
    std::string name;
};

// The process with a socket bound to that port, on that address or on all addresses. Reads
// /proc/net and the descriptors of every process that we may inspect: only for start-up and errors.
std::optional<PortOwner> find_port_owner(const ListenAddress& where);

}  // namespace steer::stream
