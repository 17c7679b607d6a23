// A list that blocks names, line by line as AdGuard Home reads it: rules of AdGuard, hosts lines and bare names may
// stand side by side.
//
// A bare name and a name of a hosts line is that name alone. A hosts line with an address that leads somewhere is a bad
// line. As in rule_list.h: bad lines are named, any bytes are accepted, cost is linear.
#pragma once

#include <string_view>

#include "matchers/list/name_list.h"

namespace steer::matchers {

// `is_adguard`: other words are patterns of AdGuard ("-ads-"). Otherwise they are names, and an exception is a bad line:
// the list has another form.
NameList read_block_list(std::string_view bytes, std::string_view file, TypeNumber type_number,
                         bool is_adguard);

}  // namespace steer::matchers
