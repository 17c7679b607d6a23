// Groups of devices from a file (`client_groups`): GROUP MEMBER in each line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer::config {

inline constexpr std::size_t kMaxFileGroups = 256;

struct FileGroup {
    std::string name;
    std::vector<std::uint64_t> macs;  // matchers/prefix/mac_address.h
    std::vector<matchers::Prefix> prefixes;
    bool operator==(const FileGroup&) const = default;
};

}  // namespace steer::config
