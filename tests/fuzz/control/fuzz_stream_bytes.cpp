// What clients, proxies and upstreams send before anything has checked it: the OPT of a query (or of a response, which
// options are added to), PROXY headers, the header that names an HTTP proxy's client, what a SOCKS5 proxy says, and
// whether a message is the reply to a query.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "control/streams/base/edns_options.h"
#include "control/streams/http/http_site.h"
#include "control/streams/listen/proxy_header.h"
#include "control/streams/upstream/socks5.h"
#include "control/streams/upstream/upstream_reply.h"
#include "dataplane/dns/query.h"

using namespace steer;
using namespace steer::stream;

namespace {

void check_options(std::span<const std::uint8_t> bytes) {
    (void)options_asked(bytes);
    std::vector<std::uint8_t> message(bytes.begin(), bytes.end());
    message.resize(bytes.size() + kMaxOptionBytes);
    const std::size_t padded = give_options(
        message, bytes.size(), {.padding = true, .keepalive = std::chrono::seconds(1)});
    if (padded < bytes.size() || padded > message.size()) std::abort();
    if (padded == bytes.size() && !std::equal(bytes.begin(), bytes.end(), message.begin()))
        std::abort();
}

void check_header(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kProxyFixedBytes) return;
    const auto length = proxy_header_length(bytes.first<kProxyFixedBytes>());
    if (!length || *length > bytes.size()) return;
    const std::vector<std::uint8_t> exact(bytes.begin(),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(*length));
    (void)read_proxy_header(exact);
}

void check_forwarded_for(std::span<const std::uint8_t> bytes) {
    static const HttpSite kSite{
        {}, "x-forwarded-for", matchers::PrefixSet({{*IpAddress::parse("192.0.2.0"), 120}})};
    const std::string text(bytes.begin(), bytes.end());
    const auto client = kSite.client_in(text);
    // Only the first address may be a trusted proxy, as no address comes before it.
    if (client && kSite.trusts(*client)) {
        const auto alone = kSite.client_in(text.substr(0, text.find(',')));
        if (!alone || *alone != *client) std::abort();
    }
}

// A proxy's words, one behind the other as they are read off its connection.
void check_socks5(std::span<const std::uint8_t> bytes) {
    const Socks5Proxy proxy{.user = bytes.size() % 2 == 0 ? "user" : ""};
    const auto take = [&bytes](std::size_t n) {
        const auto part = bytes.first(std::min(n, bytes.size()));
        bytes = bytes.subspan(part.size());
        // A copy, so that a byte read behind it is seen.
        return std::vector<std::uint8_t>(part.begin(), part.end());
    };
    const auto method = take(socks5::kMethodBytes);
    if (method.size() < socks5::kMethodBytes) return;
    const auto wants = socks5::wants_password(method, proxy);
    if (!wants) return;
    if (*wants && proxy.user.empty()) std::abort();
    if (*wants) {
        const auto status = take(socks5::kStatusBytes);
        if (status.size() < socks5::kStatusBytes || !socks5::password_taken(status)) return;
    }
    const auto head = take(socks5::kReplyHeadBytes);
    if (head.size() < socks5::kReplyHeadBytes) return;
    const auto rest = socks5::rest_of_reply(head);
    if (!rest) return;
    if (*rest == 0 || *rest > socks5::kMaxNameBytes + 2) std::abort();
    auto reply = head;
    const auto more = take(*rest);
    reply.insert(reply.end(), more.begin(), more.end());
    if (more.size() == *rest) (void)socks5::bound(reply);
}

// A datagram of a proxy's relay.
void check_socks5_datagram(std::span<const std::uint8_t> bytes) {
    const std::vector<std::uint8_t> datagram(bytes.begin(), bytes.end());
    const std::size_t head = socks5::datagram_head(datagram);
    if (head > datagram.size() || (head != 0 && datagram[2] != 0)) std::abort();
}

// As the reply to our query, and to itself as a query.
void check_reply(std::span<const std::uint8_t> bytes) {
    static constexpr std::uint8_t kAsked[]{0,   0,   1,   0, 0,   1,   0,   0, 0, 0, 0, 0, 3,
                                           'w', 'W', 'w', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1};
    std::vector<std::uint8_t> query(std::begin(kAsked), std::end(kAsked));
    if (bytes.size() >= 2) std::copy_n(bytes.begin(), 2, query.begin());
    const bool is_reply = is_reply_to(query, bytes);
    if (is_reply && (bytes.size() < dns::kHeaderSize || (bytes[2] & 0x80) == 0)) std::abort();
    dns::Query parsed;
    if (dns::parse_query(bytes, parsed) != dns::QueryError::none) return;
    if (is_reply_to(bytes, bytes)) std::abort();
    std::vector<std::uint8_t> reply(bytes.begin(), bytes.end());
    reply[2] |= 0x80;
    if (!is_reply_to(bytes, reply)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A copy of exactly that size, so that a byte read behind it is seen.
    const std::vector<std::uint8_t> copy(data, data + size);
    check_options(copy);
    check_header(copy);
    check_forwarded_for(copy);
    check_socks5(copy);
    check_socks5_datagram(copy);
    check_reply(copy);
    return 0;
}
