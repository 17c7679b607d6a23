#include "dataplane/dns/ecs.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/dns/wire.h"

namespace steer::dns {
namespace {

constexpr std::size_t kFamilyAndMasks = 4;  // family, source, scope

// The first option with that code; empty: none.
std::span<const std::uint8_t> find_ecs(std::span<const std::uint8_t> options) {
    while (options.size() >= 4) {
        const std::size_t length = load_be16(&options[2]);
        if (4 + length > options.size()) return {};
        if (load_be16(options.data()) == kEcsCode) return options.subspan(4, length);
        options = options.subspan(4 + length);
    }
    return {};
}

// The internal form, or 0 if malformed.
std::size_t keep(std::span<const std::uint8_t> option, std::span<std::uint8_t> out) {
    if (option.size() < kFamilyAndMasks) return 0;
    const std::uint16_t family = load_be16(option.data());
    const std::uint8_t source = option[2];
    constexpr std::array<std::uint8_t, 3> kMaxBits{0, 32, 128};
    if (family >= kMaxBits.size() || source > kMaxBits[family]) return 0;
    const std::size_t bytes = (source + 7U) / 8;
    if (option.size() != kFamilyAndMasks + bytes) return 0;
    const unsigned spare_bits = static_cast<unsigned>(8 * bytes) - source;
    if (bytes > 0 && (option.back() & ((1U << spare_bits) - 1)) != 0) return 0;
    out[0] = static_cast<std::uint8_t>(family);
    out[1] = source;
    std::copy(option.begin() + kFamilyAndMasks, option.end(), out.begin() + 2);
    return 2 + bytes;
}

}  // namespace

std::size_t read_ecs(std::span<const std::uint8_t> option, std::span<std::uint8_t> out) noexcept {
    if (option.size() < kFamilyAndMasks || option[3] != 0) return 0;  // a query's scope is 0
    return keep(option, out);
}

EcsReply read_ecs_reply(std::span<const std::uint8_t> options,
                        std::span<const std::uint8_t> asked) noexcept {
    const auto option = find_ecs(options);
    if (option.empty()) return {};
    std::uint8_t kept[kMaxEcs];
    const std::size_t n = keep(option, kept);
    if (n != asked.size() || std::memcmp(kept, asked.data(), n) != 0) return {.matches = false};
    return {.scope = std::min<std::uint8_t>(option[3], asked[0] == 1 ? 32 : 128)};
}

std::size_t make_ecs(std::span<const std::uint8_t> address, std::uint8_t length,
                     std::span<std::uint8_t> out) noexcept {
    out[0] = address.size() == 4 ? 1 : 2;
    out[1] = length;
    const std::size_t bytes = (length + 7U) / 8;
    std::copy_n(address.begin(), bytes, out.begin() + 2);
    const unsigned spare_bits = static_cast<unsigned>(8 * bytes) - length;
    if (spare_bits > 0) {
        std::uint8_t& last = out[1 + bytes];
        last = static_cast<std::uint8_t>(last >> spare_bits << spare_bits);
    }
    return 2 + bytes;
}

std::size_t write_ecs(std::uint8_t* at, std::span<const std::uint8_t> ecs,
                      std::uint8_t scope) noexcept {
    const std::size_t bytes = ecs.size() - 2;
    store_be16(at, kEcsCode);
    store_be16(at + 2, static_cast<std::uint16_t>(kFamilyAndMasks + bytes));
    store_be16(at + 4, ecs[0]);
    at[6] = ecs[1];
    at[7] = scope;
    std::memcpy(at + 8, ecs.data() + 2, bytes);
    return kEcsOptionSize + bytes;
}

}  // namespace steer::dns
