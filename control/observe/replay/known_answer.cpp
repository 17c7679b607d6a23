#include "control/observe/replay/policy_run.h"

#include <algorithm>
#include <string>

#include "control/api/log/mnemonics.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "matchers/prefix/ip_address.h"

namespace steer::replay {
namespace {

using Bytes = std::vector<std::uint8_t>;

class Message {
  public:
    Message(const dns::Query& asked, std::uint16_t rcode) {
        constexpr std::uint16_t kResponse = 0x8180;  // QR, RD, RA
        u16(0);
        u16(static_cast<std::uint16_t>(kResponse | (rcode & 15U)));
        u16(1);
        u16(0);
        u16(0);
        u16(0);
        add(asked.name());
        u16(asked.qtype);
        u16(asked.qclass);
    }
    void record(std::span<const std::uint8_t> owner, std::uint16_t type,
                std::span<const std::uint8_t> rdata) {
        add(owner);
        u16(type);
        u16(dns::kIn);
        u16(0);
        u16(kKnownTtlS);
        u16(static_cast<std::uint16_t>(rdata.size()));
        add(rdata);
        ++records_;
        bytes_[6] = static_cast<std::uint8_t>(records_ >> 8U);
        bytes_[7] = static_cast<std::uint8_t>(records_);
    }
    [[nodiscard]] Bytes take() { return std::move(bytes_); }

  private:
    void u16(std::uint16_t n) {
        bytes_.push_back(static_cast<std::uint8_t>(n >> 8U));
        bytes_.push_back(static_cast<std::uint8_t>(n));
    }
    void add(std::span<const std::uint8_t> more) {
        bytes_.insert(bytes_.end(), more.begin(), more.end());
    }

    Bytes bytes_;
    unsigned records_ = 0;
};

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const auto end = text.find(' ');
        words.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return words;
}

// Names are written in lower case, types are not.
bool is_type(std::string_view word) {
    return std::ranges::any_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Data that has the type's form, for types whose data no rule reads.
const Bytes* data_of(std::uint16_t type) {
    static const Bytes kText{0}, kService{0, 1, 0}, kMail{0, 0, 0}, kRoot{0};
    switch (type) {
        case dns::kTxt:
            return &kText;
        case dns::kHttps:
        case dns::kSvcb:
            return &kService;
        case dns::kMx:
            return &kMail;
        case dns::kPtr:
        case dns::kNs:
            return &kRoot;
        default:
            return nullptr;
    }
}

}  // namespace

std::optional<Bytes> message_of(const KnownAnswer& answer,
                                std::span<const std::uint8_t> client_name,
                                const dns::Query& asked) {
    if (answer.rcode != dns::kNoError && answer.rcode != dns::kNxDomain) return std::nullopt;
    const auto words = words_of(answer.records);
    Message out(asked, answer.rcode);
    Bytes owner(asked.name().begin(), asked.name().end());
    bool is_reached = std::ranges::equal(client_name, asked.name());
    for (const std::string_view word : words) {
        if (const auto address = IpAddress::parse(word)) {
            if (!is_reached) return std::nullopt;
            const bool is_v4 = address->is_v4();
            const std::span<const std::uint8_t> all(address->bytes);
            out.record(owner, is_v4 ? dns::kA : dns::kAaaa, is_v4 ? all.subspan(12) : all);
        } else if (is_type(word)) {
            const bool is_asked =
                word == ops::type_name(asked.qtype) || word == "TYPE" + std::to_string(asked.qtype);
            const Bytes* const data = is_asked ? data_of(asked.qtype) : nullptr;
            if (!is_reached || data == nullptr) return std::nullopt;
            out.record(owner, asked.qtype, *data);
        } else {
            const auto target = dns::name_from_text(word);
            if (!target) return std::nullopt;
            if (is_reached) {
                out.record(owner, dns::kCname, *target);
                owner = *target;
            } else {
                is_reached = std::ranges::equal(*target, asked.name());
            }
        }
    }
    if (!is_reached) return std::nullopt;
    return out.take();
}

Bytes any_message(const dns::Query& asked) {
    static constexpr std::array<std::uint8_t, 4> kV4{192, 0, 2, 1};
    static constexpr std::array<std::uint8_t, 16> kV6{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
                                                      0,    0,    0,    0,    0, 0, 0, 1};
    Message out(asked, dns::kNoError);
    if (asked.qclass == dns::kIn && asked.qtype == dns::kA)
        out.record(asked.name(), dns::kA, kV4);
    else if (asked.qclass == dns::kIn && asked.qtype == dns::kAaaa)
        out.record(asked.name(), dns::kAaaa, kV6);
    return out.take();
}

bool is_plainly_upstreams(const KnownAnswer& answer) {
    bool has_address = false;
    for (const std::string_view word : words_of(answer.records)) {
        const auto address = IpAddress::parse(word);
        if (!address) continue;
        const bool is_unspecified =
            *address == IpAddress{} || (address->is_v4() && address->v4()[0] == 0);
        if (is_unspecified || address->is_loopback()) return false;
        has_address = true;
    }
    return has_address;
}

}  // namespace steer::replay
