// The network functions of a probe on this host: queries to SteerDNS, connections, and listening
// for router advertisements.
//
// Blocks. Changes nothing on this host. A failure is reported with its cause.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/operator/doctor/advertisement.h"
#include "dataplane/port/descriptor.h"
#include "matchers/prefix/ip_address.h"

namespace steer::doctor {

// An interface of this host and its addresses, used as the source of probes.
struct Foot {
    std::string interface;
    int if_index = 0;
    std::optional<IpAddress> v4, v6;  // the requested one, else the first global one
};
// The interface with the address. No value: no interface has it.
std::optional<Foot> find_foot(const IpAddress& address);

struct Resolved {
    std::vector<IpAddress> addresses;
    bool is_answered = false;  // false: the server did not answer, or refused
};
// Addresses of one family, as `server` answers a client at `from` (no value: the kernel chooses).
Resolved resolve(const std::string& name, bool v4, const IpAddress& server,
                 const std::optional<IpAddress>& from);

struct Connection {
    Descriptor socket;  // open as long as this object, established or not
    IpAddress source;
    std::uint16_t source_port = 0;
    std::string failure;      // empty: the connection was established
    bool is_refused = false;  // by the other end: packets pass in both directions
};
// Connects through the foot's interface; waits at most 5 s.
Connection connect_to(const IpAddress& address, std::uint16_t port,
                      const std::optional<Foot>& foot);

// Solicits (RFC 4861 6.3.7) and listens on the interface until `is_enough`, at most 9 s. `error`:
// why it is not possible.
struct Solicited {
    std::vector<Advertisement> advertisements;
    std::string error;
};
Solicited solicit(const Foot& foot,
                  const std::function<bool(const std::vector<Advertisement>&)>& is_enough);

}  // namespace steer::doctor
