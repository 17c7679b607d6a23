// Names that hosts of a link say of their own address, from A and AAAA records of their answers.
//
// A host names only the address that it sends from. So none names another host's address, unless
// it forges the source of its packets on that link. Bounded: kMost names for each link and family;
// when all are in use, a further host has no name until one has expired. One name per address, the
// last one. Has no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "control/mdns/message.h"
#include "matchers/prefix/ip_address.h"

namespace steer::mdns {

struct NamedHost {
    IpAddress address;
    std::string name;  // its label: "Leos-iPad" of "Leos-iPad.local"; any bytes
    std::string link;  // the interface
};

class NamedHosts {
  public:
    static constexpr std::size_t kMost = 1024;
    // Hosts repeat their answers rarely; the name of a device that is off ends.
    static constexpr std::uint32_t kLeastSeconds = 120, kMostSeconds = 4500;

    // `source`: of the packet, which was judged to come from the link.
    void learn(const std::string& link, const IpAddress& source, const Message& response,
               std::uint64_t now_ms);
    // Those that have not expired.
    void each(std::uint64_t now_ms, const std::function<void(const NamedHost&)>& visit) const;
    // Forgets the links that `is_there` does not have.
    void keep_links(const std::function<bool(const std::string& link)>& is_there);

  private:
    struct Known {
        std::string name;
        std::uint64_t ends_ms = 0;
    };
    using OfLink = std::map<IpAddress, Known>;
    std::map<std::pair<std::string, bool>, OfLink> hosts_;  // by link, and whether it is IPv6
};

}  // namespace steer::mdns
