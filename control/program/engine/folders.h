// The folders of the instances, and the user of the engine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer::recursion {

// "/var/lib/unbound/steerdns/3"
std::string folder_of(const std::string& state, unsigned number);

struct EngineUser {
    uid_t uid = 0;
    gid_t gid = 0;
    bool is_own = false;  // no other program has this user
};
// kUser if it exists and this process may become it, else `daemon_user` (empty: this process's own).
EngineUser engine_user(const std::string& daemon_user);

// Makes them with the root's key in each, as root or as the engine's own user. The engine owns
// them, and its group, which the daemon has too, may write in them. The files of keys that were
// damaged, or lacked one, and were replaced.
Result<std::vector<std::string>> make_folders(const std::string& state, const EngineUser& engine);

enum class AnchorFile : std::uint8_t { kept, made, replaced };
// Replaces the root's keys of an instance's folder by those of the package, if they are damaged or
// lack one of these. Any user that may write there.
Result<AnchorFile> renew_anchor(const std::string& folder);

}  // namespace steer::recursion
