// The destination of connections to an upstream: its addresses, or those of its proxy and the proxy's target.
//
// Names are looked up when needed (upstream_name.h). Behind a proxy each pair of a proxy's address and an upstream's
// address is a path of its own. A path that failed or fell silent is moved to the end, one that works to the front. The
// upstream as a whole has failed only when each of its paths failed, one after the other. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_name.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_transport.h"

namespace steer::stream {

class UpstreamRoute {
  public:
    // After so long without a failure, earlier ones count no more.
    static constexpr std::uint64_t kFailureMs = 10'000;
    // Behind a proxy, of all pairs: what a name with many addresses can cost.
    static constexpr std::size_t kMaxPaths = 64;

    // `on_end`: a look-up is over; from the io_context.
    UpstreamRoute(StreamContext& context, const UpstreamTarget& target,
                  const std::function<void()>& on_end);
    ~UpstreamRoute() { close(); }
    UpstreamRoute(const UpstreamRoute&) = delete;
    UpstreamRoute& operator=(const UpstreamRoute&) = delete;

    // The best path. No value: an address is missing, and is looked up if allowed now.
    [[nodiscard]] std::optional<ConnectPath> find();
    // Why there is no path and no look-up; no value: there is a path, or a look-up is running.
    [[nodiscard]] std::optional<std::string> trouble() const;
    // Whether there is a path that did not fail since the last time that one worked.
    [[nodiscard]] bool has_untried();

    void works(const ConnectPath& path);
    void fails(const ConnectPath& path);
    // A connection on it went silent: others are tried first. It has not failed, because only that connection may be lost.
    void falls_silent(const ConnectPath& path);
    // Failures so far count no more.
    void begin_again();
    void network_changed();
    void close();

  private:
    struct Path {
        ConnectPath path;
        bool failed = false;
    };
    // The paths as the names' addresses are now; known ones keep their order.
    void follow_names();
    std::vector<Path>::iterator place_of(const ConnectPath& path);

    StreamContext& context_;
    std::shared_ptr<UpstreamName> near_;  // the peer of the connection: the upstream, or its proxy
    std::shared_ptr<UpstreamName> behind_;  // the upstream behind a proxy; nullptr: by name
    std::uint16_t port_;
    std::vector<Path> paths_;  // best first
    std::uint64_t failed_ms_ = 0;
};

}  // namespace steer::stream
