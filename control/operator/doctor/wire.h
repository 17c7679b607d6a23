// What a probe does on the network of this host: asks SteerDNS, connects, and listens for router advertisements.
//
// Blocks; nothing is changed on this host. A failure is told as a cause.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/operator/doctor/advertisement.h"
#include "dataplane/port/descriptor.h"
#include "matchers/prefix/ip_address.h"

namespace steer::doctor {

// An interface of this host and its addresses, from which probes leave.
struct Foot {
    std::string interface;
    int if_index = 0;
    std::optional<IpAddress> v4, v6;  // the wanted one, else the first global one
};
// The interface that has the address; no value: none has it.
std::optional<Foot> find_foot(const IpAddress& address);

struct Resolved {
    std::vector<IpAddress> addresses;
    bool is_answered = false;  // else the server was silent, or refused
};
// Addresses of one family, as `server` answers a client at `from` (nothing: the kernel chooses).
Resolved resolve(const std::string& name, bool v4, const IpAddress& server,
                 const std::optional<IpAddress>& from);

struct Connection {
    Descriptor socket;  // open while this lives, established or not
    IpAddress source;
    std::uint16_t source_port = 0;
    std::string failure;      // empty: established
    bool is_refused = false;  // by the other end: packets go there and back
};
// Leaves by the foot's interface, at most 5 s.
Connection connect_to(const IpAddress& address, std::uint16_t port,
                      const std::optional<Foot>& foot);

// Solicits (RFC 4861 6.3.7) and listens on the interface until `is_enough`, at most 9 s. `trouble`: why it is not possible.
struct Heard {
    std::vector<Advertisement> advertisements;
    std::string trouble;
};
Heard solicit(const Foot& foot,
              const std::function<bool(const std::vector<Advertisement>&)>& is_enough);

}  // namespace steer::doctor
