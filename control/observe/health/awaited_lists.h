// The fetched lists whose first copy a start waits for: the condition `lists` of /readyz.
//
// A start waits for a list if it found no copy of it, and its plugin does not set `ready: false`.
// It waits until a copy arrives or the configuration no longer names the list. A reload adds no
// list. So a mistyped URL or a dead server cannot take a running machine, or all machines with this
// configuration, out of service.
#pragma once

#include <set>
#include <span>
#include <string>

#include "control/config/settings/list_settings.h"

namespace steer {

class AwaitedLists {
  public:
    // Call it at the start. `lists`: as its configuration read them.
    void begin(std::span<const config::ReadList> lists);
    // Call it after each reload.
    void follow(std::span<const config::ReadList> lists);
    // Why the appliance is not ready; empty: it is ready.
    [[nodiscard]] std::string error() const;

  private:
    std::set<std::string> sources_;
};

}  // namespace steer
