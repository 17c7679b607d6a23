// The query types with their own counters; all others share one counter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steer::dns {

#define STEER_COUNTED_TYPES(X) \
    X(A, 1)                    \
    X(AAAA, 28)                \
    X(HTTPS, 65)               \
    X(PTR, 12)                 \
    X(SVCB, 64)                \
    X(MX, 15)                  \
    X(TXT, 16)                 \
    X(NS, 2)                   \
    X(SOA, 6) X(SRV, 33) X(CNAME, 5) X(DS, 43) X(DNSKEY, 48) X(NAPTR, 35) X(CAA, 257) X(ANY, 255)

#define STEER_TYPE_LABEL(name, number) std::string_view{#name},
inline constexpr std::array kCountedTypeLabels{
    STEER_COUNTED_TYPES(STEER_TYPE_LABEL) std::string_view{"other"}, std::string_view{"none"}};
#undef STEER_TYPE_LABEL

// Numbers of two labels: all other types; queries without a readable question.
inline constexpr std::size_t kOtherType = kCountedTypeLabels.size() - 2;
inline constexpr std::size_t kNoType = kCountedTypeLabels.size() - 1;

namespace detail {
consteval auto number_types() {
    std::array<std::uint8_t, 258> numbers{};
    numbers.fill(kOtherType);
    std::uint8_t n = 0;
#define STEER_TYPE_NUMBER(name, number) numbers[number] = n++;
    STEER_COUNTED_TYPES(STEER_TYPE_NUMBER)
#undef STEER_TYPE_NUMBER
    return numbers;
}
inline constexpr auto kTypeNumbers = number_types();
}  // namespace detail

// The number of the label of a type.
constexpr std::size_t counted_as(std::uint16_t qtype) noexcept {
    return qtype < detail::kTypeNumbers.size() ? detail::kTypeNumbers[qtype] : kOtherType;
}
static_assert(kCountedTypeLabels[counted_as(28)] == "AAAA" &&
              kCountedTypeLabels[counted_as(257)] == "CAA" && counted_as(0) == kOtherType &&
              counted_as(65535) == kOtherType);

// Tables by type and rcode have rows of this length: rcodes 0 to 15, BADVERS, BADCOOKIE,
// no reply.
inline constexpr std::size_t kRcodeColumns = 32;
inline constexpr std::size_t kBadVersColumn = 16, kBadCookieColumn = 17, kNoReplyColumn = 18;
// The column of an rcode of twelve bits.
constexpr std::size_t column_of_rcode(std::uint16_t rcode) noexcept {
    if (rcode == 16) return kBadVersColumn;
    return rcode == 23 ? kBadCookieColumn : std::size_t{rcode & 15U};
}
// Index of the first column of a type's row.
constexpr std::uint16_t type_row_of(std::size_t counted) noexcept {
    return static_cast<std::uint16_t>(counted * kRcodeColumns);
}
inline constexpr std::size_t kTypeTable = kCountedTypeLabels.size() * kRcodeColumns;

}  // namespace steer::dns
