#include "dataplane/forward/upstream_cookies.h"

#include <algorithm>
#include <cstring>

#include "dataplane/dns/wire.h"
#include "dataplane/forward/upstream_health.h"

namespace steer::forward {

UpstreamCookies::UpstreamCookies(ChaChaRandom& random) : random_(random), states_(kMaxUpstreams) {}

void UpstreamCookies::renew(State& state, const IpAddress& source) noexcept {
    const std::uint64_t not_sent_until_ms = state.not_sent_until_ms;
    state = {};
    state.source = source;
    state.has_client = true;
    state.not_sent_until_ms = not_sent_until_ms;
    const std::uint64_t bytes = std::uint64_t{random_.next()} << 32 | random_.next();
    std::memcpy(state.client.data(), &bytes, sizeof bytes);
}

std::size_t UpstreamCookies::write(std::uint16_t id, const IpAddress& source, std::uint64_t now_ms,
                                   std::span<std::uint8_t> room) noexcept {
    State& state = states_[id];
    if (now_ms < state.not_sent_until_ms) return 0;
    if (!state.has_client || state.source != source) renew(state, source);
    const std::size_t length = dns::kClientCookieSize + state.server_length;
    dns::store_be16(room.data(), dns::kOptionCookie);
    dns::store_be16(room.data() + 2, static_cast<std::uint16_t>(length));
    std::uint8_t* const data = room.data() + dns::kOptionHeadSize;
    std::memcpy(data, state.client.data(), state.client.size());
    std::memcpy(data + dns::kClientCookieSize, state.server.data(), state.server_length);
    return dns::kOptionHeadSize + length;
}

UpstreamCookies::Reply UpstreamCookies::read(std::uint16_t id,
                                             std::span<const std::uint8_t> options,
                                             std::uint64_t now_ms) noexcept {
    State& state = states_[id];
    std::span<const std::uint8_t> server;
    switch (dns::read_cookie_reply(options, state.client, server)) {
        case dns::CookieReply::wrong:
            return Reply::forged;
        case dns::CookieReply::right:
            if (server.empty()) return Reply::accepted;
            std::memcpy(state.server.data(), server.data(), server.size());
            state.server_length = static_cast<std::uint8_t>(server.size());
            state.returns = true;
            if (state.lapses > 0) --state.lapses;
            return Reply::accepted;
        case dns::CookieReply::none:
            break;
    }
    if (!state.returns || now_ms < state.not_required_until_ms) return Reply::accepted;
    state.lapses = static_cast<std::uint8_t>(state.lapses + kLapse);
    if (state.lapses < kMostLapses) return Reply::missing;
    state.lapses = 0;
    state.not_required_until_ms = now_ms + kRestMs;
    return Reply::lapsed;
}

bool UpstreamCookies::refused(std::uint16_t id, std::uint64_t now_ms) noexcept {
    State& state = states_[id];
    if (state.returns) return false;
    state.not_sent_until_ms = now_ms + kRestMs;
    return true;
}

}  // namespace steer::forward
