// A list of names to block in the form of /etc/hosts: "0.0.0.0 NAME...", each name an exact rule.
//
// The address is 0.0.0.0, 127.0.0.1, :: or ::1; any other address is a bad line, because then the list
// assigns addresses. Names of the machine itself (localhost, broadcasthost, ip6-...) and names that
// are addresses are left out. As in rule_list.h: bad lines are named, any bytes are accepted.
#pragma once

#include <cstddef>
#include <string_view>

#include "matchers/list/rule_list.h"

namespace steer::matchers {

struct HostsList {
    RuleList list;
    std::size_t left_out = 0;  // names of the machine itself, and addresses
};

// 0.0.0.0, 127.0.0.1, :: or ::1: the addresses in such a list.
bool leads_nowhere(std::string_view address);
// A name of the machine itself (localhost, ip6-...), or an address: no name to block.
bool is_left_out_of_hosts(std::string_view name);
HostsList read_hosts(std::string_view bytes, std::string_view file);

}  // namespace steer::matchers
