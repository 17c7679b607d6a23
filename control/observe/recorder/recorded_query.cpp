#include "control/observe/recorder/recorded_query.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "control/api/log/mnemonics.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/records.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::recorder {
namespace {

constexpr std::uint16_t kOpt = 41, kSubnet = 8, kCookie = 10;

unsigned be16(std::span<const std::uint8_t> bytes, std::size_t at) {
    return static_cast<unsigned>(bytes[at]) << 8U | bytes[at + 1];
}

// The offset behind a name; 0: cut off.
std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t at) {
    while (at < message.size()) {
        const std::uint8_t label = message[at];
        if ((label & 0xc0U) != 0) return at + 2;
        at += 1U + label;
        if (label == 0) return at;
    }
    return 0;
}

// Clears the bits of `address` behind the first `kept`.
void clear_behind(std::span<std::uint8_t> address, unsigned kept) {
    for (std::size_t i = 0; i < address.size(); ++i) {
        const auto first = static_cast<unsigned>(i * 8);
        if (first >= kept) {
            address[i] = 0;
        } else if (first + 8 > kept) {
            address[i] &= static_cast<std::uint8_t>(0xff00U >> (kept - first));
        }
    }
}

void blank_options(std::span<std::uint8_t> options, unsigned mask4, unsigned mask6) {
    constexpr std::size_t kHeader = 4, kSubnetHeader = 4;
    while (options.size() >= kHeader) {
        const unsigned code = be16(options, 0);
        const std::size_t size = std::min<std::size_t>(be16(options, 2), options.size() - kHeader);
        const auto data = options.subspan(kHeader, size);
        if (code == kCookie) std::ranges::fill(data, std::uint8_t{0});
        if (code == kSubnet && size > kSubnetHeader)
            clear_behind(data.subspan(kSubnetHeader), be16(data, 0) == 1 ? mask4 : mask6);
        options = options.subspan(kHeader + size);
    }
}

}  // namespace

void put_name(std::span<const std::uint8_t> wire, std::string& out) {
    out.clear();
    const std::size_t length = dns::plain_name_length(wire);
    if (length == 0) return;
    if (length == 1) {
        out += '.';
        return;
    }
    for (std::size_t at = 0; at + 1 < length; at += 1U + wire[at]) {
        if (at != 0) out += '.';
        for (std::uint8_t c : wire.subspan(at + 1, wire[at])) {
            if (c >= 'A' && c <= 'Z') c |= 0x20U;
            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
                out += static_cast<char>(c);
            } else if (c <= 0x20 || c >= 0x7f) {
                const char digits[] = {'\\', static_cast<char>('0' + c / 100),
                                       static_cast<char>('0' + c / 10 % 10),
                                       static_cast<char>('0' + c % 10)};
                out.append(digits, sizeof digits);
            } else {
                constexpr std::string_view kSpecial = ".\\\"();@$";
                if (kSpecial.find(static_cast<char>(c)) != std::string_view::npos) out += '\\';
                out += static_cast<char>(c);
            }
        }
    }
}

void put_answers(std::span<const std::uint8_t> response, std::string& out) {
    out.clear();
    dns::AnswerSection answers(response);
    dns::Record record{};
    std::string one;
    while (answers.next(record)) {
        const auto rdata = answers.rdata(record);
        if (record.type == dns::kA && rdata.size() == 4) {
            one = IpAddress::from_v4(rdata.data()).to_string();
        } else if (record.type == dns::kAaaa && rdata.size() == 16) {
            one = IpAddress::from_v6(rdata.data()).to_string();
        } else if (record.type == dns::kCname) {
            dns::Name target;
            if (!answers.target(record, target)) return;
            put_name(target.bytes(), one);
        } else {
            one = ops::type_name(record.type);
        }
        if (out.size() + one.size() >= kMostAnswers) return;
        if (!out.empty()) out += ' ';
        out += one;
    }
}

std::string trace_text(std::uint64_t id) {
    std::array<char, 16> room{};
    const auto end = std::to_chars(room.data(), room.data() + room.size(), id, 16).ptr;
    return {room.data(), end};
}

IpAddress masked(const IpAddress& address, unsigned mask4, unsigned mask6) {
    constexpr unsigned kMapped = 96;  // bits before the IPv4 address
    const unsigned kept = address.is_v4() ? kMapped + mask4 : mask6;
    return kept >= 128 ? address : matchers::Prefix::masked(address, kept).address;
}

void blank_client_options(std::span<std::uint8_t> message, unsigned mask4, unsigned mask6) {
    constexpr std::size_t kHeader = 12, kRecord = 10;  // type, class, TTL, length
    if (message.size() < kHeader) return;
    std::size_t at = kHeader;
    for (unsigned questions = be16(message, 4); questions > 0; --questions) {
        at = skip_name(message, at);
        if (at == 0) return;
        at += 4;
    }
    for (unsigned records = be16(message, 6) + be16(message, 8) + be16(message, 10); records > 0;
         --records) {
        at = skip_name(message, at);
        if (at == 0 || at + kRecord > message.size()) return;
        const unsigned type = be16(message, at);
        const std::size_t size = be16(message, at + 8);
        at += kRecord;
        const std::size_t there = std::min(size, message.size() - at);
        if (type == kOpt) blank_options(message.subspan(at, there), mask4, mask6);
        at += size;
    }
}

}  // namespace steer::recorder
