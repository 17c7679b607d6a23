// The addresses of an upstream (or of its proxy) that is given by name.
//
// Looked up from the upstream's `bootstrap`, or from the host's resolvers (resolv.conf) except
// ourselves. An answer is valid for its TTL (10 s to a day). The last addresses stay in use beyond that,
// while they are looked up again in the background, and as long as no resolver answers. Addresses that
// failed are moved to the end. An upstream with a fixed address has only that.
//
// One thread. Nothing is looked up before need().
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
    // The name to look up, and its resolver.
    struct Question {
        std::string name;  // or an address
        std::optional<UpstreamTarget::Server> bootstrap;
        AddressFamily family = AddressFamily::any;
        std::uint32_t mark = 0;
        std::string device;
    };
    // `on_end`: a look-up is over; from the io_context.
    UpstreamName(StreamContext& context, Question question, std::function<void()> on_end);

    // Best first; empty: none yet.
    [[nodiscard]] const std::vector<IpAddress>& addresses() const { return addresses_; }
    // Starts a look-up if addresses are missing or expired. True: a look-up is running.
    bool need();
    [[nodiscard]] bool is_looking() const { return looking_; }
    // Why the last look-up failed; empty: it succeeded, or there was none.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    void works(const IpAddress& address);  // to the front
    void fails(const IpAddress& address);  // to the back
    // Forgets failures: the next need() asks again.
    void network_changed() { not_before_ms_ = 0; }
    void close();

  private:
    void look_up();
    void take(const std::vector<IpAddress>& found, bool answered, std::uint32_t ttl_s);
    void report(const std::vector<IpAddress>& addresses);

    StreamContext& context_;
    Question question_;
    std::function<void()> on_end_;
    std::vector<IpAddress> addresses_;
    std::string trouble_;
    std::uint64_t good_until_ms_ = 0;
    std::uint64_t not_before_ms_ = 0;  // after a failure, while old addresses serve
    unsigned serial_ = 0;              // of look-ups: results of older ones are ignored
    bool looking_ = false;
};

}  // namespace steer::stream
