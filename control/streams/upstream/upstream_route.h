// The destination of connections to an upstream: its addresses, or those of its proxy and the
// proxy's target.
//
// Names are resolved when needed (upstream_name.h). Behind a proxy, each pair of a proxy's address
// and an upstream's address is a separate path. A path that failed or became silent is moved to the
// end, one that works to the front. The whole upstream has failed only when each of its paths
// failed, one after the other. One thread.
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
    // After this time without a failure, earlier failures no longer count.
    static constexpr std::uint64_t kFailureMs = 10'000;
    // Maximum number of pairs behind a proxy: limits the cost of a name with many addresses.
    static constexpr std::size_t kMaxPaths = 64;

    // `on_end`: called from the io_context when a lookup has ended.
    UpstreamRoute(StreamContext& context, const UpstreamTarget& target,
                  const std::function<void()>& on_end);
    ~UpstreamRoute() { close(); }
    UpstreamRoute(const UpstreamRoute&) = delete;
    UpstreamRoute& operator=(const UpstreamRoute&) = delete;

    // The best path. No value: an address is missing; it is resolved if a lookup is allowed now.
    [[nodiscard]] std::optional<ConnectPath> find();
    // Why there is no path and no lookup. No value: there is a path, or a lookup is running.
    [[nodiscard]] std::optional<std::string> error() const;
    // Whether there is a path without a failure since the last success.
    [[nodiscard]] bool has_untried();

    void works(const ConnectPath& path);
    void fails(const ConnectPath& path);
    // A connection on it became silent: others are tried first. The path has not failed, because
    // only that connection may be lost.
    void falls_silent(const ConnectPath& path);
    // Earlier failures no longer count.
    void begin_again();
    void network_changed();
    void close();

  private:
    struct Path {
        ConnectPath path;
        bool failed = false;
    };
    // Updates the paths to the names' present addresses; known ones keep their order.
    void follow_names();
    std::vector<Path>::iterator place_of(const ConnectPath& path);

    StreamContext& context_;
    std::shared_ptr<UpstreamName> near_;    // peer of the connection: the upstream, or its proxy
    std::shared_ptr<UpstreamName> behind_;  // the upstream behind a proxy; nullptr: by name
    std::uint16_t port_;
    std::vector<Path> paths_;  // best first
    std::uint64_t failed_ms_ = 0;
};

}  // namespace steer::stream
