// `steerctl doctor`, which starts steerdnsd with this option first: finds errors on a
// configuration's routers.
#pragma once

#include <string_view>

namespace steer::doctor {

inline constexpr std::string_view kDoctorOption = "--doctor-routers";

// `argv[0]` is that option. Exit code: 0 no problem is left; 1 there is one, or a router could not
// be read; 2 the configuration or the command line is wrong.
int run_doctor(int argc, char** argv);

}  // namespace steer::doctor
