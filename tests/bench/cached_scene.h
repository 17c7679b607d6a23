// Workers that answer on 10.255.255.53 and whose cache has every answer; their configuration's router is in sync. The
// caller brings a port for each.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bench/answer_check.h"
#include "bench/fail.h"
#include "control/runtime/dataplane_runtime.h"

namespace steer::bench {

struct SceneOptions {
    std::string config;          // a configuration file
    std::string names;           // a file of the names that are asked for, one a line
    std::uint32_t numbered = 0;  // or this many numbered names (name_port.h)
    unsigned router_port =
        0;  // where its router 172.16.1.1:8728 is on 127.0.0.1, and a cache goes before its
            // match; 0: the file as it is
    std::string ads;       // a list of an adlist before that cache, with `cname`; empty: none
    unsigned records = 2;  // addresses of a name ...
    bool one_to = false;   // ... or as many as its place in the file says, from 1 to `records`
    bool translated =
        false;  // asked for AAAA, which the configuration's first dns64 made of these addresses
    unsigned cache_mib = 16;
    std::uint32_t wall_s = 1'800'000'000;  // the time of day, for cookies; their secret is 16 zeros
    int upstream_index =
        0;  // NextHop::if_index of the port that its first upstream is behind; 0: there is no route
};

// lcore 0 for this thread, one for each worker; no devices.
void start_eal(bool no_huge, unsigned workers = 1, unsigned mib = 1200);

// What the cache of the scene has for each name, and the TTL that it arrived with.
Answers answers_of(const SceneOptions& options);
inline constexpr std::uint32_t kSceneTtl = 3600;

class CachedScene {
  public:
    // EAL is up; the ports outlive this: worker i's is the i-th. Fails if anything is not as it should be.
    CachedScene(const SceneOptions& options, std::span<Port* const> ports);
    ~CachedScene();
    CachedScene(const CachedScene&) = delete;
    CachedScene& operator=(const CachedScene&) = delete;

    // Builds the configuration again and puts it in force, as a reload does. Then call poll() now and then.
    void reload();
    void poll();

    // What it took.
    struct Start {
        double config_s = 0;         // reading and building the configuration
        double insert_ns = 0;        // an answer into the cache, by the cache writer's function
        double bytes_per_entry = 0;  // of the cache's budget
    };
    [[nodiscard]] const Start& start() const;
    [[nodiscard]] DataplaneRuntime& runtime();
    [[nodiscard]] Clock& clock();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer::bench
