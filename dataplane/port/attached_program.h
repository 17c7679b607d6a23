// The XDP program that an interface has now. Set-up only.
#pragma once

#include <string>

namespace steer {

// Its name; "id 7" if we may not see the name; "" if there is none or it is unknown.
std::string attached_xdp_program(int if_index);

}  // namespace steer
