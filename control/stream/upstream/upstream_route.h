// The destination of connections to an upstream: its addresses, or those of its proxy and the proxy's target.
//
// Names are looked up when needed (upstream_name.h). An address that failed is moved to the end. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/stream/base/stream_context.h"
#include "control/stream/upstream/upstream_name.h"
#include "control/stream/upstream/upstream_target.h"
#include "control/stream/upstream/upstream_transport.h"

namespace steer::stream {

class UpstreamRoute {
  public:
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
    // The number of addresses that are tried in turn.
    [[nodiscard]] std::size_t choices() const { return near_->addresses().size(); }

    void works(const ConnectPath& path);
    void fails(const ConnectPath& path);
    void network_changed();
    void close();

  private:
    std::shared_ptr<UpstreamName> near_;  // the peer of the connection: the upstream, or its proxy
    std::shared_ptr<UpstreamName> behind_;  // the upstream behind a proxy; nullptr: by name
    std::uint16_t port_;
};

}  // namespace steer::stream
