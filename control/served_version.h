// The last version that served. An older version can then report that its configuration may be for
// a newer one.
#pragma once

#include <string>
#include <string_view>

namespace steer {

inline constexpr const char* kServedVersionFile = "/var/lib/steerdns/version";

// Whether version `one` is newer than `other`: "0.2.0" than "0.1.0",
// "0.1.0+git20261123.0740.d013ea4" than "0.1.0". False if one of them is not a version.
bool is_newer_version(std::string_view one, std::string_view other);
// Empty: unknown.
std::string served_version(const std::string& file = kServedVersionFile);
// Writes nothing if the file's folder is missing, and ignores errors: only a hint depends on the
// file.
void keep_served_version(const std::string& version, const std::string& file = kServedVersionFile);

}  // namespace steer
