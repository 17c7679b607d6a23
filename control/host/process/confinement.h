// How this process is confined, for reports: what is in force, or why it is not.
#pragma once

#include <string>

namespace steer {

struct Confinement {
    std::string system_calls = "off";  // "on", "log", "off", or "off: " and why (call_filters.h)
    std::string files = "off";         // "on", "off", or "off: " and why (file_rules.h)
};

// Written before the first thread that reads it.
inline Confinement& confinement() {
    static Confinement one;
    return one;
}

}  // namespace steer
