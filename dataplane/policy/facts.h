// Facts about names and answers for the program's tests. No allocation; one pass over the data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dataplane/answer/live_prefixes.h"
#include "dataplane/dns/answer.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct MarkNumber;

// Whether the answer section has a record of this type (of any type for ANY).
[[nodiscard]] bool has_type(const dns::Answer& answer, std::uint16_t qtype) noexcept;
// Whether an A or AAAA record of the answer section has an address in the set.
[[nodiscard]] bool has_address_in(const dns::Answer& answer, const AddressSet& set) noexcept;
// The address of a complete name under in-addr.arpa or ip6.arpa (RFC 1035 3.5, RFC 3596 2.5).
// `qname`: lower-cased wire form.
[[nodiscard]] std::optional<IpAddress> address_in_name(
    std::span<const std::uint8_t> qname) noexcept;

// The texts that string_exp compares, written to `room`: an address; the addresses of A and AAAA
// records in order, separated by commas (as many as fit); the query's marks, lowest first,
// separated by commas.
using TextRoom = std::array<char, 4096>;
[[nodiscard]] std::string_view address_text(const IpAddress& address, TextRoom& room) noexcept;
[[nodiscard]] std::string_view addresses_text(const dns::Answer& answer, TextRoom& room) noexcept;
[[nodiscard]] std::string_view marks_text(std::span<const MarkNumber> all, std::uint64_t marks,
                                          TextRoom& room) noexcept;

// Iterates over the names that an answer section points clients to. These are CNAME targets, and
// optionally the TargetName of SVCB and HTTPS (RFC 9460; not ".") and the target of SRV.
class PointedNames {
  public:
    enum class Of : std::uint8_t { cname, cname_and_svcb, all };

    // `qname`: the question's name. Both must outlive this object.
    PointedNames(const dns::Answer& answer, std::span<const std::uint8_t> qname, Of of)
        : answer_(answer), qname_(qname), of_(of) {}

    // The next name in lower-cased wire form, valid until the next call; empty at the end.
    std::span<const std::uint8_t> next() noexcept;
    // The TTL of the last name's record, as in the answer.
    [[nodiscard]] std::uint32_t ttl_s() const noexcept;

  private:
    std::span<const std::uint8_t> expand(std::size_t at) noexcept;

    const dns::Answer& answer_;
    std::span<const std::uint8_t> qname_;
    Of of_;
    unsigned record_ = 0;  // index of the next record
    std::array<std::uint8_t, 256> name_;
};

}  // namespace steer
