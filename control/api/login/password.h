// The password of the page: hashed with yescrypt by the system's crypt(3), kept in a file.
//
// The file has one line, `admin:$y$…`, and mode 0600. A hash costs about 50 ms and 16 MiB: not for
// the main thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer::ops {

inline constexpr std::size_t kLeastPassword = 8, kMostPassword = 128;  // bytes

// Why this password cannot be used; empty: it can.
std::string why_not_a_password(std::string_view password);

// Error: the system cannot hash.
Result<std::string> hash_of_password(const std::string& password);
// In constant time for passwords of one length. False also for a hash that the system cannot use.
bool is_password(const std::string& password, const std::string& hash);

std::string password_file(const std::string& folder);
// The hash in the file; empty: there is no file. Error: it cannot be read or understood.
Result<std::string> load_password(const std::string& folder);
// Replaces the file, completely or not at all.
Result<void> save_password(const std::string& folder, const std::string& hash);

}  // namespace steer::ops
