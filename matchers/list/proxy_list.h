// Rule lists of proxies and of smartdns: "DOMAIN-SUFFIX,example.org", "+.example.org", "host-suffix, example.org,
// proxy", "nameserver /example.org/group".
//
// A name alone is exact in Clash and Surge, and holds all below in smartdns. As in rule_list.h: bad lines are named, any
// bytes are accepted.
#pragma once

#include <optional>
#include <string_view>

#include "matchers/list/name_list.h"

namespace steer::matchers {

// The form that a line has and no other list: clash, surge, quantumult or smartdns. Keys that Clash and Surge share are
// clash, whose reader takes both.
std::optional<ListForm> proxy_form(std::string_view line);

NameList read_proxy_list(std::string_view bytes, std::string_view file, ListForm form);

}  // namespace steer::matchers
