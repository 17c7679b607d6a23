// The names of a file, whatever else is in it.
#pragma once

#include <string>

#include "control/sources/clients/client_state.h"

namespace steer::clients {

inline Result<GivenNames> loaded(const std::string& file) {
    std::size_t left_out = 0;
    return load_names(file, left_out);
}

}  // namespace steer::clients
