#include "control/stream/upstream/socks5.h"

#include <array>
#include <string_view>

#include "dataplane/dns/wire.h"

namespace steer::stream::socks5 {
namespace {

constexpr std::uint8_t kVersion = 5, kPasswordVersion = 1;
constexpr std::uint8_t kNoPassword = 0, kPassword = 2;
constexpr std::uint8_t kConnect = 1;
constexpr std::uint8_t kIpv4 = 1, kName = 3, kIpv6 = 4;
constexpr std::size_t kPortBytes = 2;

// By reply code (RFC 1928 6).
constexpr std::array<std::string_view, 9> kRefusals{
    "",
    "it failed",
    "its rules do not allow it",
    "the network is unreachable for it",
    "the host is unreachable for it",
    "the upstream refused the connection",
    "it took too long",
    "it does not support the command CONNECT",
    "it does not support this type of address",
};

void append(std::vector<std::uint8_t>& to, std::string_view text) {
    to.push_back(static_cast<std::uint8_t>(text.size()));
    to.insert(to.end(), text.begin(), text.end());
}

}  // namespace

std::vector<std::uint8_t> greeting(const Socks5Proxy& proxy) {
    if (proxy.user.empty()) return {kVersion, 1, kNoPassword};
    return {kVersion, 2, kNoPassword, kPassword};
}

Result<bool> wants_password(std::span<const std::uint8_t> said, const Socks5Proxy& proxy) {
    if (said[0] != kVersion) return Error{"it does not speak SOCKS5"};
    if (said[1] == kNoPassword) return false;
    if (said[1] == kPassword && !proxy.user.empty()) return true;
    return Error{proxy.user.empty() ? "it requires a user and a password"
                                    : "it accepts neither this user nor an anonymous one"};
}

std::vector<std::uint8_t> password(const Socks5Proxy& proxy) {
    std::vector<std::uint8_t> out{kPasswordVersion};
    append(out, proxy.user);
    append(out, proxy.password);
    return out;
}

Result<void> password_taken(std::span<const std::uint8_t> said) {
    if (said[1] != 0) return Error{"it does not accept this user and password"};
    return {};
}

std::vector<std::uint8_t> request(const std::optional<IpAddress>& address, const std::string& name,
                                  std::uint16_t port) {
    // (As one list: GCC 12 warns of a push_back that it inlines behind one of three bytes.)
    const std::uint8_t kind = !address ? kName : address->is_v4() ? kIpv4 : kIpv6;
    std::vector<std::uint8_t> out{kVersion, kConnect, 0, kind};
    if (!address) {
        append(out, name);
    } else if (address->is_v4()) {
        out.insert(out.end(), address->v4(), address->v4() + 4);
    } else {
        out.insert(out.end(), address->bytes.begin(), address->bytes.end());
    }
    out.resize(out.size() + kPortBytes);
    dns::store_be16(&out[out.size() - kPortBytes], port);
    return out;
}

Result<std::size_t> rest_of_reply(std::span<const std::uint8_t> head) {
    if (head[0] != kVersion) return Error{"it does not speak SOCKS5"};
    if (head[1] != 0) {
        const bool known = head[1] < kRefusals.size();
        return Error{known ? std::string(kRefusals[head[1]])
                           : "it refused with code " + std::to_string(head[1])};
    }
    // The head holds the first byte of the address, which of a name is its length.
    switch (head[3]) {
        case kIpv4:
            return std::size_t{3} + kPortBytes;
        case kIpv6:
            return std::size_t{15} + kPortBytes;
        case kName:
            return std::size_t{head[4]} + kPortBytes;
        default:
            return Error{"it does not speak SOCKS5"};
    }
}

}  // namespace steer::stream::socks5
