// Who sends a request: its role, its name for the audit, and the feed of its session.
#pragma once

#include <memory>
#include <string>

#include "control/config/settings/role.h"

namespace steer::ops {

class Feed;

struct Caller {
    AccessRole role = AccessRole::admin;
    std::string who = {};             // "uid 0, gid 0, pid 4711", "token grafana at 192.0.2.7"
    std::shared_ptr<Feed> feed = {};  // nullptr: this session cannot carry notifications
};

}  // namespace steer::ops
