// One worker that answers on 10.255.255.53 and whose cache has every answer; its configuration's router is in sync. The
// caller brings the port.
#pragma once

#include <memory>
#include <string>

#include "control/plane.h"

namespace steer::bench {

struct SceneOptions {
    std::string config;  // a configuration file
    std::string names;   // a file of the names that are asked for, one a line
    unsigned router_port =
        0;  // where its router 172.16.1.1:8728 is on 127.0.0.1, and a cache goes before its
            // match; 0: the file as it is
};

// Ends the program.
[[noreturn]] void fail(const std::string& why);
// lcores 0 and 1, no devices.
void start_eal(bool no_huge);

class CachedScene {
  public:
    // EAL is up; `port` outlives this. Fails if anything is not as it should be.
    CachedScene(const SceneOptions& options, Port& port);
    ~CachedScene();
    CachedScene(const CachedScene&) = delete;
    CachedScene& operator=(const CachedScene&) = delete;

    [[nodiscard]] Plane& plane();
    [[nodiscard]] Clock& clock();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer::bench
