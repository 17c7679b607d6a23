// Rule lists of proxies and of smartdns: "DOMAIN-SUFFIX,example.org", "+.example.org",
// "host-suffix, example.org, proxy", "nameserver /example.org/group".
//
// A name without a key means the exact name in Clash and Surge, and includes all names below in
// smartdns. As in rule_list.h: reports bad lines, accepts any bytes.
#pragma once

#include <optional>
#include <string_view>

#include "matchers/list/name_list.h"

namespace steer::matchers {

// The form of a line that no other kind of list has: clash, surge, quantumult or smartdns. Keys
// that Clash and Surge share count as clash, whose reader accepts both.
std::optional<ListForm> proxy_form(std::string_view line);

NameList read_proxy_list(std::string_view bytes, std::string_view file, ListForm form);

}  // namespace steer::matchers
