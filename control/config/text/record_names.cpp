#include "control/config/text/record_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

using Wire = std::span<const std::uint8_t>;

// The labels before the last two, lower-cased; empty: the name does not end with `ending`.arpa.
std::vector<std::string> labels_below(Wire name, std::string_view ending) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < name.size() && name[at] != 0; at += name[at] + 1U) {
        const std::size_t length = name[at];
        if (at + 1 + length > name.size()) return {};
        out.push_back(matchers::lowered(
            std::string(name.begin() + static_cast<std::ptrdiff_t>(at + 1),
                        name.begin() + static_cast<std::ptrdiff_t>(at + 1 + length))));
    }
    if (out.size() < 3 || out.back() != "arpa" || out[out.size() - 2] != ending) return {};
    out.resize(out.size() - 2);
    return out;
}

std::optional<std::uint8_t> number_of(std::string_view label, int base, unsigned most) {
    unsigned number = 0;
    const char* const end = label.data() + label.size();
    const auto [rest, error] = std::from_chars(label.data(), end, number, base);
    if (label.empty() || error != std::errc() || rest != end || number > most) return std::nullopt;
    return static_cast<std::uint8_t>(number);
}

// "10.2.0.192.in-addr.arpa", or 32 nibbles and "ip6.arpa".
std::optional<IpAddress> address_of(Wire reverse) {
    constexpr std::size_t kNibbles = 32;
    if (const auto labels = labels_below(reverse, "in-addr"); labels.size() == 4) {
        std::array<std::uint8_t, 4> bytes{};
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const auto byte = number_of(labels[bytes.size() - 1 - i], 10, 255);
            if (!byte) return std::nullopt;
            bytes[i] = *byte;
        }
        return IpAddress::from_v4(bytes.data());
    }
    const auto labels = labels_below(reverse, "ip6");
    if (labels.size() != kNibbles) return std::nullopt;
    IpAddress out;
    for (std::size_t i = 0; i < kNibbles; ++i) {
        const std::string& label = labels[kNibbles - 1 - i];
        const auto nibble = label.size() == 1 ? number_of(label, 16, 15) : std::nullopt;
        if (!nibble) return std::nullopt;
        out.bytes[i / 2] = static_cast<std::uint8_t>(out.bytes[i / 2] << 4 | *nibble);
    }
    return out;
}

bool is_wildcard(Wire name) {
    return name.size() > 2 && name[0] == 1 && name[1] == '*';
}

}  // namespace

bool is_a_client(const IpAddress& address) {
    const bool is_multicast = address.is_v4() ? address.v4()[0] >= 224 : address.bytes[0] == 0xff;
    return !is_multicast && !address.is_loopback() && address != IpAddress{} &&
           !(address.is_v4() && address.v4()[0] == 0);
}

std::optional<RecordName> name_in_record(Wire owner, std::uint16_t type, Wire rdata) {
    RecordName out;
    Wire name = owner;
    if (type == dns::kA && rdata.size() == 4) {
        out.address = IpAddress::from_v4(rdata.data());
    } else if (type == dns::kAaaa && rdata.size() == out.address.bytes.size()) {
        std::ranges::copy(rdata, out.address.bytes.begin());
    } else if (type == dns::kPtr && dns::is_plain_name(rdata)) {
        const auto address = address_of(owner);
        if (!address) return std::nullopt;
        out.address = *address;
        out.is_ptr = true;
        name = rdata;
    } else {
        return std::nullopt;
    }
    if (!is_a_client(out.address) || is_wildcard(name)) return std::nullopt;
    out.name = dns::name_to_text(name);
    if (out.name.empty() || out.name == ".") return std::nullopt;
    return out;
}

}  // namespace steer::config
