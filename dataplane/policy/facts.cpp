#include "dataplane/policy/facts.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "dataplane/policy/snapshot.h"

namespace steer {
namespace {

std::uint16_t type_of(const dns::Answer& answer, unsigned record) {
    return dns::load_be16(answer.body() + answer.ttl_offsets()[record] - dns::kTypeBeforeTtl);
}

constexpr std::size_t kMaxLabelBytes = 63;
constexpr unsigned kMaxPointers = 127;

// The next label of a wire name, taken off it; empty at the root.
std::string_view take_label(std::span<const std::uint8_t>& name) {
    const std::size_t length = name.empty() ? 0 : name[0];
    if (length == 0 || length + 1 > name.size()) return {};
    const std::string_view label(reinterpret_cast<const char*>(name.data()) + 1, length);
    name = name.subspan(length + 1);
    return label;
}

bool is_root(std::span<const std::uint8_t> name) {
    return name.size() == 1 && name[0] == 0;
}

// "0".."255", without leading zeros.
std::optional<std::uint8_t> octet_of(std::string_view label) {
    if (label.empty() || label.size() > 3 || (label.size() > 1 && label[0] == '0'))
        return std::nullopt;
    unsigned value = 0;
    for (const char c : label) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > UINT8_MAX) return std::nullopt;
    return static_cast<std::uint8_t>(value);
}

std::optional<std::uint8_t> nibble_of(std::string_view label) {
    if (label.size() != 1) return std::nullopt;
    const char c = label[0];
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    return std::nullopt;
}

bool ends_in_arpa(std::span<const std::uint8_t> name, std::string_view family) {
    return take_label(name) == family && take_label(name) == "arpa" && is_root(name);
}

}  // namespace

bool has_type(const dns::Answer& answer, std::uint16_t qtype) noexcept {
    for (unsigned r = 0; r < answer.ancount && r < answer.ttl_count; ++r) {
        if (qtype == dns::kAny || type_of(answer, r) == qtype) return true;
    }
    return false;
}

bool has_address_in(const dns::Answer& answer, const AddressSet& set) noexcept {
    const dns::AddressRef* const refs = answer.addresses();
    return std::any_of(refs, refs + answer.address_count, [&](const dns::AddressRef& ref) {
        const std::uint8_t* const bytes = answer.body() + ref.rdata_offset;
        return set.contains(ref.is_v6 != 0 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes));
    });
}

std::optional<IpAddress> address_in_name(std::span<const std::uint8_t> qname) noexcept {
    constexpr std::size_t kV6NameBytes = 32 * 2 + sizeof "\3ip6\4arpa";
    if (qname.size() == kV6NameBytes) {
        IpAddress address;
        for (unsigned n = 32; n-- > 0;) {
            const auto nibble = nibble_of(take_label(qname));
            if (!nibble) return std::nullopt;
            std::uint8_t& byte = address.bytes[n / 2];
            byte = static_cast<std::uint8_t>(byte | (n % 2 == 0 ? *nibble << 4 : *nibble));
        }
        return ends_in_arpa(qname, "ip6") ? std::optional(address) : std::nullopt;
    }
    std::array<std::uint8_t, 4> v4{};
    for (unsigned n = 4; n-- > 0;) {
        const auto octet = octet_of(take_label(qname));
        if (!octet) return std::nullopt;
        v4[n] = *octet;
    }
    return ends_in_arpa(qname, "in-addr") ? std::optional(IpAddress::from_v4(v4.data()))
                                          : std::nullopt;
}

namespace {

// Joins texts with commas.
class Joined {
  public:
    explicit Joined(TextRoom& room) : room_(room) {}

    // False: it does not fit, and nothing was added.
    bool add(const IpAddress& address) noexcept {
        std::array<char, INET6_ADDRSTRLEN> one;
        if (!address.is_v4()) {
            inet_ntop(AF_INET6, address.bytes.data(), one.data(), one.size());
            return add(std::string_view(one.data()));
        }
        char* end = one.data();
        char* const last = end + one.size();
        for (unsigned i = 0; i < 4; ++i) {
            if (i > 0 && end != last) *end++ = '.';  // (GCC does not see that it fits)
            end = std::to_chars(end, last, address.v4()[i]).ptr;
        }
        return add(std::string_view(one.data(), static_cast<std::size_t>(end - one.data())));
    }
    bool add(std::uint32_t number) noexcept {
        std::array<char, 10> one;
        const char* const end = std::to_chars(one.data(), one.data() + one.size(), number).ptr;
        return add(std::string_view(one.data(), static_cast<std::size_t>(end - one.data())));
    }
    [[nodiscard]] std::string_view text() const noexcept { return {room_.data(), size_}; }

  private:
    bool add(std::string_view one) noexcept {
        if (size_ + 1 + one.size() > room_.size()) return false;
        if (size_ > 0) room_[size_++] = ',';
        std::copy(one.begin(), one.end(), &room_[size_]);
        size_ += one.size();
        return true;
    }

    TextRoom& room_;
    std::size_t size_ = 0;
};

}  // namespace

std::string_view address_text(const IpAddress& address, TextRoom& room) noexcept {
    Joined joined(room);
    joined.add(address);
    return joined.text();
}

std::string_view addresses_text(const dns::Answer& answer, TextRoom& room) noexcept {
    Joined joined(room);
    const dns::AddressRef* const refs = answer.addresses();
    for (unsigned r = 0; r < answer.address_count; ++r) {
        const std::uint8_t* const bytes = answer.body() + refs[r].rdata_offset;
        if (!joined.add(refs[r].is_v6 != 0 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes)))
            break;
    }
    return joined.text();
}

std::string_view marks_text(std::span<const MarkNumber> all, std::uint64_t marks,
                            TextRoom& room) noexcept {
    Joined joined(room);
    for (const MarkNumber& mark : all) {
        if ((marks >> mark.bit & 1) != 0) joined.add(mark.number);
    }
    return joined.text();
}

namespace {

// Bytes of the data before the name that a record of this type points to; no value: it points to none.
std::optional<std::size_t> before_target(std::uint16_t type, PointedNames::Of of) {
    if (type == dns::kCname) return 0;
    if (of == PointedNames::Of::cname) return std::nullopt;
    if (type == dns::kSvcb || type == dns::kHttps) return 2;  // priority
    if (of == PointedNames::Of::cname_and_svcb) return std::nullopt;
    if (type == dns::kSrv) return 6;  // priority, weight, port
    return std::nullopt;
}

}  // namespace

std::span<const std::uint8_t> PointedNames::next() noexcept {
    while (record_ < answer_.ancount && record_ < answer_.ttl_count) {
        const unsigned record = record_++;
        const auto before = before_target(type_of(answer_, record), of_);
        if (!before) continue;
        const auto name = expand(answer_.ttl_offsets()[record] + dns::kRdataAfterTtl + *before);
        if (name.size() > 1) return name;  // not the root
    }
    return {};
}

std::uint32_t PointedNames::ttl_s() const noexcept {
    return dns::load_be32(answer_.body() + answer_.ttl_offsets()[record_ - 1]);
}

// The name at an offset of the body. It was checked when the answer was built: pointers go backwards, into the body or
// the question.
std::span<const std::uint8_t> PointedNames::expand(std::size_t at) noexcept {
    const std::size_t base = dns::kHeaderSize + qname_.size() + 4;
    std::span<const std::uint8_t> from{answer_.body(), answer_.body_len};
    std::size_t length = 0;
    for (unsigned pointers = 0; at < from.size();) {
        const std::uint8_t byte = from[at];
        if (byte > kMaxLabelBytes) {
            if (at + 1 >= from.size() || ++pointers > kMaxPointers) return {};
            const std::size_t to = dns::load_be16(&from[at]) & 0x3fffU;
            if (to < dns::kHeaderSize) return {};
            const bool in_question = to < base;
            from = in_question ? qname_ : std::span{answer_.body(), answer_.body_len};
            at = to - (in_question ? dns::kHeaderSize : base);
            continue;
        }
        if (at + byte + 1U > from.size() || length + byte + 1U > name_.size() - 1) return {};
        dns::lower_case(&from[at], &name_[length], byte + 1U);
        length += byte + 1U;
        if (byte == 0) return {name_.data(), length};
        at += byte + 1U;
    }
    return {};
}

}  // namespace steer
