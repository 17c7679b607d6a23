// A list of names to block, read line by line as AdGuard Home does. It may mix AdGuard rules, hosts
// lines and bare names.
//
// A bare name, or a name in a hosts line, is that name alone. A hosts line with an address of a
// real host is a bad line. As in rule_list.h: reports bad lines, accepts any bytes, linear cost.
#pragma once

#include <string_view>

#include "matchers/list/name_list.h"

namespace steer::matchers {

// With `is_adguard`, other words are AdGuard patterns ("-ads-"). Otherwise they are names, and an
// exception is a bad line, because the list has another form.
NameList read_block_list(std::string_view bytes, std::string_view file, TypeNumber type_number,
                         bool is_adguard);

}  // namespace steer::matchers
