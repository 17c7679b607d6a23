// A socket to the kernel's routing tables (rtnetlink, RFC 3549): requests with their replies, and
// events.
//
// A socket does one of the two, so no event is between a request and its reply. A request waits for
// the kernel, which answers within the call that sends it; at most one second. One thread per
// object. It belongs to the network namespace in which it was opened.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::kernel {

// A request under construction: the header, the family's fixed part, and attributes.
class NetlinkRequest {
  public:
    // `flags` in addition to NLM_F_REQUEST and NLM_F_ACK.
    NetlinkRequest(std::uint16_t type, std::uint16_t flags);
    // The fixed part (rtmsg, ndmsg, ...), zeroed; before the attributes.
    template <class Fixed>
    Fixed& fixed() {
        return *static_cast<Fixed*>(append_fixed(sizeof(Fixed)));
    }
    void put_bytes(std::uint16_t attribute, std::span<const std::uint8_t> bytes);
    // 4 or 16 bytes, by its family.
    void put_address(std::uint16_t attribute, const IpAddress& address);

    [[nodiscard]] nlmsghdr& header() { return *header_; }

  private:
    void* append_fixed(std::size_t bytes);
    alignas(nlmsghdr) std::array<char, 256> bytes_{};
    nlmsghdr* header_;
};

class Netlink {
  public:
    using OnMessage = std::function<void(const nlmsghdr&)>;

    // With `groups` (RTNLGRP_...), the socket is for events; without, for requests.
    static Result<std::unique_ptr<Netlink>> open(std::span<const int> groups = {});
    ~Netlink();
    Netlink(const Netlink&) = delete;
    Netlink& operator=(const Netlink&) = delete;

    // Sends the request and passes the replies to `on_message`. Returns 0 or the kernel's errno. If
    // the table changes during a dump, the dump is requested again and its messages arrive twice.
    // So `begin` is called before each try.
    int ask(
        NetlinkRequest& request, const OnMessage& on_message,
        const std::function<void()>& begin = [] {});
    // Reads the waiting events; does not wait. Returns false if the kernel dropped events
    // (ENOBUFS); then anything may have changed.
    bool read_events(const OnMessage& on_message);

    [[nodiscard]] int fd() const;

  private:
    explicit Netlink(mnl_socket* socket) : socket_(socket) {}
    int receive_reply(std::uint32_t sequence, const OnMessage& on_message);

    mnl_socket* socket_;
    std::uint32_t sequence_ = 0;
};

// Calls each(const nlattr&) for the attributes after the fixed part, or inside an attribute.
template <class Each>
void for_each_attribute(const nlmsghdr& message, std::size_t fixed_bytes, Each&& each) {
    mnl_attr_parse(
        &message, static_cast<unsigned>(fixed_bytes),
        [](const nlattr* a, void* f) {
            (*static_cast<std::remove_reference_t<Each>*>(f))(*a);
            return MNL_CB_OK;
        },
        &each);
}
template <class Each>
void for_each_attribute(const nlattr& nest, Each&& each) {
    mnl_attr_parse_nested(
        &nest,
        [](const nlattr* a, void* f) {
            (*static_cast<std::remove_reference_t<Each>*>(f))(*a);
            return MNL_CB_OK;
        },
        &each);
}

// The family of an address in netlink's numbers, and an attribute's payload as an address.
inline std::uint8_t family_of(const IpAddress& address) {
    return address.is_v4() ? std::uint8_t{2} : std::uint8_t{10};  // AF_INET, AF_INET6
}
IpAddress address_from(const void* payload, std::size_t bytes);  // 4 or 16

}  // namespace steer::kernel
