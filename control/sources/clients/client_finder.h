// What a person means with the client that they write. Pure.
//
// An address and a prefix stand for themselves, a MAC address and a name for the addresses that
// have them now. Names compare without regard to ASCII case. Names that people gave come first, then
// those of the configuration, then those that devices chose: so no device takes another's name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/method.h"
#include "control/sources/clients/client_groups.h"
#include "control/sources/clients/client_names.h"
#include "matchers/result.h"

namespace steer::clients {

// An address or a prefix; for a device also a MAC address, which a name stands for where it is
// known. `rows`: called for a name, and for a MAC address whose address is wanted. Error: no client
// has the name, several have it, or no address is known.
Result<std::string> found_client(std::string_view written, ops::ClientAs as,
                                 const std::function<std::vector<ClientRow>()>& rows);

// The clients of a rule: one of the two is empty.
struct Audience {
    std::string clients, group;
};
// As found_client() of a device; the name of a group stands for the group. A name that devices chose
// is never mistaken for one.
Result<Audience> found_audience(std::string_view written, const GroupBook& groups,
                                const std::function<std::vector<ClientRow>()>& rows);

bool is_same_name(std::string_view a, std::string_view b);

}  // namespace steer::clients
