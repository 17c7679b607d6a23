// The running mDNS repeater: sockets on the configured interfaces while these exist, and the
// repeater between them. For the main thread; never waits.
//
// Interfaces are checked again when the network changes, and periodically while one is unusable. An
// error of the kernel is logged once. Costs nothing while no interface is configured.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/config/text/service_name.h"
#include "control/mdns/mdns_counters.h"
#include "control/mdns/named_hosts.h"

namespace steer::mdns {

struct Options {
    std::vector<std::string> interfaces;  // empty: off
    Services services;
    bool v4 = true, v6 = true;
};

struct InterfaceReport {
    std::string name;
    bool v4 = false, v6 = false;  // whether packets of this family are repeated there
    std::string error;            // why a family is not repeated; empty: as configured
    MdnsCounters counters;
};

class Mdns {
  public:
    using Clock = std::function<std::uint64_t()>;  // monotonic, ms
    using Warn = std::function<void(const std::string& sentence)>;

    Mdns(boost::asio::io_context& main_io, Clock now_ms, Warn warn);
    ~Mdns();
    Mdns(const Mdns&) = delete;
    Mdns& operator=(const Mdns&) = delete;

    // Call it at the start and after a reload; sockets of interfaces that stay are kept.
    void configure(Options options);
    // Links or addresses may have changed. Several calls in a row cause one check.
    void network_changed();

    // The hosts of its links that say their names (named_hosts.h).
    void each_host(const std::function<void(const NamedHost&)>& visit) const;

    // Reports about the configured interfaces, in their order.
    [[nodiscard]] std::vector<InterfaceReport> report() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::mdns
