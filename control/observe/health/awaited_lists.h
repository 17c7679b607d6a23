// The fetched lists whose first copy a start waits for: the condition `lists` of /readyz.
//
// A list is awaited if the start found no copy of it, and its plugin does not say `ready: false`. It is awaited until a copy
// came or the configuration does not name it any more, and never again: a reload adds none, so that a mistyped
// URL or a dead server cannot take a box, or all boxes with this configuration, out of service.
#pragma once

#include <set>
#include <span>
#include <string>

#include "control/config/settings/list_settings.h"

namespace steer {

class AwaitedLists {
  public:
    // Of the start. `lists`: as its configuration read them.
    void begin(std::span<const config::ReadList> lists);
    // After each reload.
    void follow(std::span<const config::ReadList> lists);
    // Why the appliance is not ready; empty: it is.
    [[nodiscard]] std::string trouble() const;

  private:
    std::set<std::string> sources_;
};

}  // namespace steer
