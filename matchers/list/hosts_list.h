// A list of names to block in the form of /etc/hosts: "0.0.0.0 NAME...", each name an exact rule.
//
// The address is 0.0.0.0, 127.0.0.1, :: or ::1. Any other address is a bad line, because then the
// list assigns addresses. Names of the machine itself (localhost, broadcasthost, ip6-...) and names
// that are addresses are left out. As in rule_list.h: reports bad lines, accepts any bytes.
#pragma once

#include <cstddef>
#include <string_view>

#include "matchers/list/rule_list.h"

namespace steer::matchers {

struct HostsList {
    RuleList list;
    std::size_t left_out = 0;  // names of the machine itself, and addresses
};

// Whether the address is one of such a list: 0.0.0.0, 127.0.0.1, :: or ::1.
bool leads_nowhere(std::string_view address);
// Whether it is a name of the machine itself (localhost, ip6-...) or an address: not a name to
// block.
bool is_left_out_of_hosts(std::string_view name);
HostsList read_hosts(std::string_view bytes, std::string_view file);

}  // namespace steer::matchers
