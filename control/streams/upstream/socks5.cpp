#include "control/streams/upstream/socks5.h"

#include <array>
#include <string_view>

#include "dataplane/dns/wire.h"

namespace steer::stream::socks5 {
namespace {

constexpr std::uint8_t kVersion = 5, kPasswordVersion = 1;
constexpr std::uint8_t kNoPassword = 0, kPassword = 2;
constexpr std::uint8_t kConnect = 1, kAssociate = 3;
constexpr std::uint8_t kIpv4 = 1, kName = 3, kIpv6 = 4;
constexpr std::size_t kPortBytes = 2, kIpv4Bytes = 4, kIpv6Bytes = 16;
constexpr std::size_t kKindAt = 3;  // of an address

// By reply code (RFC 1928 6).
constexpr std::array<std::string_view, 9> kRefusals{
    "",
    "it failed",
    "its rules do not allow it",
    "the network is unreachable for it",
    "the host is unreachable for it",
    "the upstream refused the connection",
    "it took too long",
    "it does not support this command",
    "it does not support this type of address",
};

void append(std::vector<std::uint8_t>& to, std::string_view text) {
    to.push_back(static_cast<std::uint8_t>(text.size()));
    to.insert(to.end(), text.begin(), text.end());
}

// Behind the first three bytes, which requests and datagrams have of their own.
std::vector<std::uint8_t> addressed(std::uint8_t first, std::uint8_t second,
                                    const std::optional<IpAddress>& address,
                                    const std::string& name, std::uint16_t port) {
    // (As one list: GCC 12 warns of a push_back that it inlines behind one of three bytes.)
    const std::uint8_t kind = !address ? kName : address->is_v4() ? kIpv4 : kIpv6;
    std::vector<std::uint8_t> out{first, second, 0, kind};
    if (!address) {
        append(out, name);
    } else if (address->is_v4()) {
        out.insert(out.end(), address->v4(), address->v4() + kIpv4Bytes);
    } else {
        out.insert(out.end(), address->bytes.begin(), address->bytes.end());
    }
    out.resize(out.size() + kPortBytes);
    dns::store_be16(&out[out.size() - kPortBytes], port);
    return out;
}

// Of a reply's or datagram's head, up to its port: it holds the first byte of the address, which of a name is its length.
// 0: another kind.
std::size_t head_size(std::span<const std::uint8_t> head) {
    switch (head[kKindAt]) {
        case kIpv4:
            return kKindAt + 1 + kIpv4Bytes + kPortBytes;
        case kIpv6:
            return kKindAt + 1 + kIpv6Bytes + kPortBytes;
        case kName:
            return kKindAt + 2 + std::size_t{head[kKindAt + 1]} + kPortBytes;
        default:
            return 0;
    }
}

}  // namespace

std::vector<std::uint8_t> greeting(const Socks5Proxy& proxy) {
    if (proxy.user.empty()) return {kVersion, 1, kNoPassword};
    return {kVersion, 2, kNoPassword, kPassword};
}

Result<bool> wants_password(std::span<const std::uint8_t> reply, const Socks5Proxy& proxy) {
    if (reply[0] != kVersion) return Error{"it does not speak SOCKS5"};
    if (reply[1] == kNoPassword) return false;
    if (reply[1] == kPassword && !proxy.user.empty()) return true;
    return Error{proxy.user.empty() ? "it requires a user and a password"
                                    : "it accepts neither this user nor an anonymous one"};
}

std::vector<std::uint8_t> password(const Socks5Proxy& proxy) {
    std::vector<std::uint8_t> out{kPasswordVersion};
    append(out, proxy.user);
    append(out, proxy.password);
    return out;
}

Result<void> password_taken(std::span<const std::uint8_t> reply) {
    if (reply[1] != 0) return Error{"it does not accept this user and password"};
    return {};
}

std::vector<std::uint8_t> request(const std::optional<IpAddress>& address, const std::string& name,
                                  std::uint16_t port) {
    return addressed(kVersion, kConnect, address, name, port);
}

std::vector<std::uint8_t> request_relay() {
    constexpr std::array<std::uint8_t, kIpv4Bytes> kUnknown{};
    return addressed(kVersion, kAssociate, IpAddress::from_v4(kUnknown.data()), {}, 0);
}

Result<std::size_t> rest_of_reply(std::span<const std::uint8_t> head) {
    if (head[0] != kVersion) return Error{"it does not speak SOCKS5"};
    if (head[1] != 0) {
        const bool known = head[1] < kRefusals.size();
        return Error{known ? std::string(kRefusals[head[1]])
                           : "it refused with code " + std::to_string(head[1])};
    }
    const std::size_t size = head_size(head);
    if (size == 0) return Error{"it does not speak SOCKS5"};
    return size - kReplyHeadBytes;
}

std::optional<Bound> bound(std::span<const std::uint8_t> reply) {
    const std::uint8_t kind = reply[kKindAt];
    if (kind == kName) return std::nullopt;
    const std::uint8_t* const address = &reply[kKindAt + 1];
    return Bound{kind == kIpv4 ? IpAddress::from_v4(address) : IpAddress::from_v6(address),
                 dns::load_be16(&reply[reply.size() - kPortBytes])};
}

std::vector<std::uint8_t> datagram_header(const std::optional<IpAddress>& address,
                                          const std::string& name, std::uint16_t port) {
    return addressed(0, 0, address, name, port);
}

std::size_t datagram_head(std::span<const std::uint8_t> datagram) {
    constexpr std::size_t kFragmentAt = 2;
    if (datagram.size() < kReplyHeadBytes || datagram[kFragmentAt] != 0) return 0;
    const std::size_t size = head_size(datagram);
    return size <= datagram.size() ? size : 0;
}

}  // namespace steer::stream::socks5
