// Messages to the service manager (sd_notify(3)), without a wait for it.
//
// sd_notify() of libsystemd waits while the manager does not read. Here, what it has no room for is
// kept, the last value of each variable, and sent with a later call. Any thread.
#pragma once

#include <string_view>

namespace steer {

// "READY=1", "STATUS=serving", "WATCHDOG=1". Does nothing without a manager (NOTIFY_SOCKET).
void notify_service_manager(std::string_view assignment);

// Sends what is left of earlier calls, if there is room by now.
void notify_service_manager_again();

}  // namespace steer
