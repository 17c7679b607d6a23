// The mDNS repeater at work: sockets on the interfaces that it is configured for, while these are there, and the repeater
// between them. On the main thread; never waits.
//
// Interfaces are looked at again when the network changes and now and then while one cannot be used: what the kernel refuses
// is said once. Costs nothing while no interface is configured.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/mdns/mdns_counters.h"
#include "control/mdns/service_name.h"

namespace steer::mdns {

struct Options {
    std::vector<std::string> interfaces;  // none: it is off
    Services services;
    bool v4 = true, v6 = true;
};

struct InterfaceReport {
    std::string name;
    bool v4 = false, v6 = false;  // packets of this family are repeated there
    std::string trouble;          // why one of them is not; empty: both are as wanted
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

    // At start and after a reload; sockets of interfaces that stay are kept.
    void configure(Options options);
    // Links or addresses may have changed. Many in a row are one look.
    void network_changed();

    // Of the configured interfaces, in their order.
    [[nodiscard]] std::vector<InterfaceReport> report() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::mdns
