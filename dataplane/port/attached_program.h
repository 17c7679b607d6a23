// Which XDP program an interface has now. Set-up only.
#pragma once

#include <string>

namespace steer {

// Its name; "id 7" if we may not see that; "" if there is none or the kernel does not say.
std::string attached_xdp_program(int if_index);

}  // namespace steer
