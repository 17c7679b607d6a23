#include "control/streams/base/edns_options.h"

#include <algorithm>
#include <cstring>

#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

constexpr std::uint16_t kKeepalive = 11, kPadding = 12;
constexpr std::size_t kHead = 4;          // code and length of an option
constexpr std::size_t kQueryBlock = 128;  // RFC 8467 4.1

struct Opt {
    std::size_t rdata = 0, end = 0;  // 0: there is none
};

Opt find_opt(std::span<const std::uint8_t> message) {
    if (message.size() < dns::kHeaderSize) return {};
    std::size_t at = dns::kHeaderSize;
    for (unsigned left = dns::load_be16(&message[4]); left > 0; --left) {
        at = dns::skip_name(message, at) + 4;
        if (at <= 4) return {};
    }
    unsigned records = 0;
    for (const std::size_t count : {6U, 8U, 10U})
        records += dns::load_be16(&message[count]);
    for (; records > 0; --records) {
        const std::size_t fixed = dns::skip_name(message, at);
        if (fixed == 0 || fixed + dns::kRecordFixed > message.size()) return {};
        const std::size_t rdata = fixed + dns::kRecordFixed;
        const std::size_t end = rdata + dns::load_be16(&message[rdata - 2]);
        if (end > message.size()) return {};
        if (dns::load_be16(&message[fixed]) == dns::kOpt) return {rdata, end};
        at = end;
    }
    return {};
}

void write_option(std::uint8_t* at, std::uint16_t code, std::size_t length) {
    dns::store_be16(at, code);
    dns::store_be16(at + 2, static_cast<std::uint16_t>(length));
    std::memset(at + kHead, 0, length);
}

std::uint16_t in_tenths(std::chrono::milliseconds time) {
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(time.count() / 100, 0, 0xffff));
}

}  // namespace

OptionsAsked options_asked(std::span<const std::uint8_t> query) noexcept {
    OptionsAsked asked;
    const Opt opt = find_opt(query);
    std::size_t at = opt.rdata;
    while (opt.end - at >= kHead) {
        const std::uint16_t code = dns::load_be16(&query[at]);
        at += kHead + dns::load_be16(&query[at + 2]);
        if (at > opt.end) break;
        asked.padding = asked.padding || code == kPadding;
        asked.keepalive = asked.keepalive || code == kKeepalive;
    }
    return asked;
}

std::size_t give_options(std::span<std::uint8_t> message, std::size_t length,
                         const OptionsGiven& given) noexcept {
    const Opt opt = find_opt(message.first(length));
    if (opt.rdata == 0 || opt.end != length) return length;
    const std::size_t most = std::min<std::size_t>(message.size(), dns::kMaxMessage);
    std::size_t at = length;
    if (given.keepalive && at + kHead + 2 <= most) {
        write_option(&message[at], kKeepalive, 2);
        dns::store_be16(&message[at + kHead], in_tenths(*given.keepalive));
        at += kHead + 2;
    }
    const std::size_t padded = (at + kHead + given.block - 1) / given.block * given.block;
    if (given.padding && padded <= most) {
        write_option(&message[at], kPadding, padded - at - kHead);
        at = padded;
    }
    dns::store_be16(&message[opt.rdata - 2], static_cast<std::uint16_t>(at - opt.rdata));
    return at;
}

std::span<const std::uint8_t> pad_query(std::span<const std::uint8_t> query,
                                        std::vector<std::uint8_t>& room) {
    if (options_asked(query).padding) return query;
    room.resize(query.size() + kHead + kQueryBlock);
    std::ranges::copy(query, room.begin());
    const OptionsGiven padding{.padding = true, .block = kQueryBlock, .keepalive = {}};
    room.resize(give_options(room, query.size(), padding));
    return room;
}

}  // namespace steer::stream
