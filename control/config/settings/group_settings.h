// Groups of devices from a file or a key in Redis (`client_groups`): GROUP MEMBER in each line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer::config {

inline constexpr std::size_t kMaxFileGroups = 256;
inline constexpr std::size_t kMaxGroupKey = 512;
inline constexpr std::size_t kMaxGroupText = std::size_t{4} << 20;  // bytes in Redis

struct FileGroup {
    std::string name;
    std::vector<std::uint64_t> macs;  // matchers/prefix/mac_address.h
    std::vector<matchers::Prefix> prefixes;
    bool operator==(const FileGroup&) const = default;
};

}  // namespace steer::config
