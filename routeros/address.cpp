#include "routeros/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "routeros/keyed_hash.h"

namespace steer::routeros {

namespace {

constexpr AddressBytes kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

bool is_mapped(const AddressBytes& bytes) {
    return std::memcmp(bytes.data(), kMapped.data(), 12) == 0;
}

// The part behind the slash; `longest` if there is none.
std::optional<unsigned> prefix_length(std::string_view text, std::size_t slash, unsigned longest) {
    if (slash == text.npos) return longest;
    const char* first = text.data() + slash + 1;
    const char* last = text.data() + text.size();
    unsigned value = 0;
    const auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc{} || end != last || value > longest) return std::nullopt;
    return value;
}

void clear_host_bits(AddressBytes& bytes, unsigned prefix) {
    for (unsigned i = 0; i < bytes.size(); ++i) {
        const unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;
        if (kept < 8) bytes[i] = static_cast<std::uint8_t>(bytes[i] & ~(0xffU >> kept));
    }
}

void append_v6(std::string& out, const AddressBytes& bytes) {
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < 8; ++i)
        groups[i] = bytes[2 * i] * 256U + bytes[2 * i + 1];
    std::size_t zeros_at = 8, zeros = 1;  // a single zero group is not compressed
    for (std::size_t i = 0; i < 8; ++i) {
        std::size_t run = 0;
        while (i + run < 8 && groups[i + run] == 0)
            ++run;
        if (run > zeros) zeros_at = i, zeros = run;
        if (run > 0) i += run - 1;
    }
    for (std::size_t i = 0; i < 8;) {
        if (i == zeros_at) {
            out += "::";
            i += zeros;
            continue;
        }
        if (i > 0 && !(i == zeros_at + zeros && zeros_at != 8)) out += ':';
        char hex[8];
        const auto end = std::to_chars(hex, hex + sizeof hex, groups[i], 16).ptr;
        out.append(hex, end);
        ++i;
    }
}

}  // namespace

std::optional<Address> Address::parse(Menu menu, std::string_view text) {
    const auto slash = text.find('/');
    const std::string host{text.substr(0, slash)};
    if (host.size() != std::strlen(host.c_str())) return std::nullopt;
    const unsigned longest = menu == Menu::ip ? 32 : 128;
    const auto length = prefix_length(text, slash, longest);
    if (!length) return std::nullopt;
    Address address;
    if (menu == Menu::ip) {
        address.bytes = kMapped;
        if (inet_pton(AF_INET, host.c_str(), address.bytes.data() + 12) != 1) return std::nullopt;
    } else {
        if (inet_pton(AF_INET6, host.c_str(), address.bytes.data()) != 1) return std::nullopt;
        if (is_mapped(address.bytes)) return std::nullopt;
    }
    address.prefix = static_cast<std::uint8_t>(*length + 128 - longest);
    clear_host_bits(address.bytes, address.prefix);
    return address;
}

std::optional<Address> Address::parse(std::string_view text) {
    return parse(text.find(':') == text.npos ? Menu::ip : Menu::ipv6, text);
}

Address Address::within(std::uint8_t length) const {
    Address out{bytes, length};
    clear_host_bits(out.bytes, length);
    return out;
}

Menu Address::menu() const {
    return is_mapped(bytes) && prefix >= 96 ? Menu::ip : Menu::ipv6;
}

std::string Address::to_string() const {
    std::string out;
    if (menu() == Menu::ip) {
        for (std::size_t i = 12; i < 16; ++i) {
            if (i > 12) out += '.';
            out += std::to_string(bytes[i]);
        }
        if (prefix != 128) out += '/' + std::to_string(prefix - 96);
        return out;
    }
    append_v6(out, bytes);
    return out + '/' + std::to_string(prefix);
}

std::size_t AddressHash::operator()(const Address& address) const noexcept {
    std::uint64_t high = 0, low = 0;
    std::memcpy(&high, address.bytes.data(), 8);
    std::memcpy(&low, address.bytes.data() + 8, 8);
    return keyed_hash(high, low, address.prefix);
}

}  // namespace steer::routeros
