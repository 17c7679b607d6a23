// The addresses of an upstream (or of its proxy) with a host name.
//
// Resolved by the upstream's `bootstrap`, or by the host's resolvers (resolv.conf) except
// ourselves. An answer is valid for its TTL (10 s to a day). After that, the last addresses stay in
// use while they are resolved again in the background, and as long as no resolver answers.
// Addresses that failed are moved to the end. An upstream with a fixed address has only that.
//
// One thread. Resolves nothing before need().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_target.h"

namespace steer::stream {

class UpstreamName : public std::enable_shared_from_this<UpstreamName> {
  public:
    // The name to resolve, and its resolver.
    struct Question {
        std::string name;  // or an address
        std::optional<UpstreamTarget::Server> bootstrap;
        AddressFamily family = AddressFamily::any;
        std::uint32_t mark = 0;
        std::string device;
    };
    // `on_end`: called from the io_context when a lookup has ended.
    UpstreamName(StreamContext& context, Question question, std::function<void()> on_end);

    // Best first; empty: none yet.
    [[nodiscard]] const std::vector<IpAddress>& addresses() const { return addresses_; }
    // Starts a lookup if addresses are missing or expired. Returns true if a lookup is running.
    bool need();
    [[nodiscard]] bool is_resolving() const { return resolving_; }
    // Why the last lookup failed; empty: it succeeded, or there was none.
    [[nodiscard]] const std::string& error() const { return error_; }
    void works(const IpAddress& address);  // moves it to the front
    void fails(const IpAddress& address);  // moves it to the back
    // Removes failures: the next need() may start a lookup.
    void network_changed() { not_before_ms_ = 0; }
    void close();

  private:
    void resolve();
    void take(const std::vector<IpAddress>& found, bool answered, std::uint32_t ttl_s);
    void report(const std::vector<IpAddress>& addresses);

    StreamContext& context_;
    Question question_;
    std::function<void()> on_end_;
    std::vector<IpAddress> addresses_;
    std::string error_;
    std::uint64_t good_until_ms_ = 0;
    std::uint64_t not_before_ms_ = 0;  // after a failure, while old addresses serve
    unsigned serial_ = 0;              // of lookups: results of older ones are ignored
    bool resolving_ = false;
};

}  // namespace steer::stream
