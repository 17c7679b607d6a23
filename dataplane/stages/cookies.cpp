#include "dataplane/stages/cookies.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/stages/reply.h"

namespace steer {
namespace {

constexpr std::size_t kSize4 = 4, kSize6 = 16;

const std::uint8_t* address_of(const Packet& p, std::size_t size) {
    return size == kSize4 ? p.client.address.v4() : p.client.address.bytes.data();
}
std::span<const std::uint8_t> address_of(const IpAddress& address) {
    return address.is_v4() ? std::span<const std::uint8_t>{address.v4(), kSize4}
                           : std::span<const std::uint8_t>{address.bytes};
}

}  // namespace

void Cookies::begin_turn(const dns::CookieKeys* keys, const Snapshot* snapshot, Now now,
                         Load parked, Load outstanding) noexcept {
    keys_ = keys;
    snapshot_ = snapshot;
    are_required_ = false;
    if (keys == nullptr || snapshot == nullptr) return;
    now_s_ = now.s() + keys->clock_s;
    if (!snapshot->frontends.require_cookies) return;
    if (parked.is_high() || outstanding.is_high()) load_until_ms_ = now.ms + kLoadMs;
    are_required_ = now.ms < load_until_ms_;
}

CookieMode Cookies::mode_of(const Packet& p) const noexcept {
    return snapshot_->frontends.cookies_of(p.destination, p.destination_port);
}

void Cookies::judge_other(Packet& p) noexcept {
    const dns::CookieCheck check =
        dns::check_cookie(p.query.cookie, *keys_, now_s_, address_of(p.client.address));
    set_state(p, check.is_valid ? dns::CookieState::valid : dns::CookieState::client);
}

// Four at a time; the last ones together with copies of one of them.
template <std::size_t AddressSize>
unsigned Cookies::judge_lanes(Burst& burst, std::span<const std::uint8_t> places) noexcept {
    constexpr unsigned kLanes = dns::kCookieLanes;
    unsigned invalid = 0;
    for (std::size_t at = 0; at < places.size(); at += kLanes) {
        const std::size_t n = std::min<std::size_t>(kLanes, places.size() - at);
        dns::CookieInput in[kLanes];
        for (std::size_t i = 0; i < kLanes; ++i) {
            const Packet& p = burst.packets[places[at + (i < n ? i : 0)]];
            in[i] = {p.query.cookie.data(), address_of(p, AddressSize)};
        }
        std::uint64_t hashes[kLanes];
        dns::cookie_hashes(keys_->current, in, AddressSize, hashes);
        for (std::size_t i = 0; i < n; ++i) {
            Packet& p = burst.packets[places[at + i]];
            if (dns::is_fresh_cookie(p.query.cookie, hashes[i], now_s_)) [[likely]] {
                set_state(p, dns::CookieState::valid);
            } else {
                judge_other(p);
                invalid += p.cookie != dns::CookieState::valid ? 1U : 0U;
            }
        }
    }
    return static_cast<unsigned>(places.size()) - invalid;
}

void Cookies::judge(Burst& burst, std::span<const std::uint8_t> places) noexcept {
    std::array<std::uint8_t, kBurst> of4, of6;
    unsigned n4 = 0, n6 = 0, ignored = 0;
    const Frontends& frontends = snapshot_->frontends;
    const bool may_be_off = frontends.cookies_differ || frontends.cookies == CookieMode::off;
    for (const std::uint8_t place : places) {
        Packet& p = burst.packets[place];
        dns::Query& q = p.query;
        if (may_be_off && mode_of(p) == CookieMode::off) {
            set_state(p, dns::CookieState::none);
            ++ignored;
            continue;
        }
        if (q.cookie_length == dns::kCookieSize) {
            std::memcpy(q.cookie.data(), p.dns + q.cookie_at, dns::kCookieSize);
            if (dns::may_be_valid(q.cookie, now_s_)) [[likely]] {
                const bool is_v4 = p.client.address.is_v4();
                of4[n4] = of6[n6] = place;
                n4 += is_v4 ? 1U : 0U;
                n6 += is_v4 ? 0U : 1U;
                continue;
            }
        } else {
            std::memcpy(q.cookie.data(), p.dns + q.cookie_at, dns::kClientCookieSize);
        }
        dns::make_server_cookie(q.cookie, keys_->current, now_s_, address_of(p.client.address));
        set_state(p, dns::CookieState::client);
    }
    unsigned valid = 0;
    if (n4 > 0) valid += judge_lanes<kSize4>(burst, {of4.data(), n4});
    if (n6 > 0) valid += judge_lanes<kSize6>(burst, {of6.data(), n6});
    const auto client = static_cast<unsigned>(places.size()) - valid - ignored;
    if (valid > 0) counters_.add(Stat::cookies_valid, valid);
    if (client > 0) counters_.add(Stat::cookies_client, client);
}

void Cookies::check_ends(Burst& burst) noexcept {
    std::array<std::uint8_t, kBurst> places;
    unsigned n = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        Packet& p = burst.packets[place];
        if (!p.client.is_udp()) continue;
        p.cookie_length = static_cast<std::uint8_t>(dns::cookie_at_end(p.dns, p.dns_length));
        if (p.cookie_length != 0) places[n++] = place;
    }
    if (n > 0) check_ends(burst, {places.data(), n});
}

void Cookies::check_ends(Burst& burst, std::span<const std::uint8_t> places) noexcept {
    if (keys_ == nullptr) return;
    for (const std::uint8_t place : places) {
        Packet& p = burst.packets[place];
        p.query.cookie_length = p.cookie_length;
        p.query.cookie_at = static_cast<std::uint16_t>(p.dns_length - p.cookie_length);
    }
    judge(burst, places);
}

// A packet's cookie was judged already, if parse() found it where check_ends() did. Else its bytes
// are not those of a line of the packet cache.
void Cookies::check(Burst& burst, Replier& replier) noexcept {
    std::array<std::uint8_t, kBurst> places;
    unsigned n = 0;
    for (std::uint32_t left = burst.with_cookie; left != 0; left &= left - 1) {
        const auto place = static_cast<std::uint8_t>(__builtin_ctz(left));
        Packet& p = burst.packets[place];
        const dns::Query& q = p.query;
        if (p.cookie_length != 0 && q.cookie_length == p.cookie_length &&
            q.cookie_at + q.cookie_length == p.dns_length) {
            restore_flags(p);
            continue;
        }
        p.packet_cache_hash = 0;
        p.cookie_length = 0;
        p.cookie = dns::CookieState::none;
        if (q.cookie_length != 0) places[n++] = place;
    }
    if (keys_ != nullptr && n > 0) judge(burst, {places.data(), n});
    if (are_required_) refuse(burst, replier);
}

void Cookies::complete_now(Packet& p) noexcept {
    if (mode_of(p) == CookieMode::off) return;
    const std::size_t size =
        p.query.cookie_length == dns::kCookieSize ? dns::kCookieSize : dns::kClientCookieSize;
    p.query.cookie = {};
    std::memcpy(p.query.cookie.data(), p.dns + p.query.cookie_at, size);
    judge_other(p);
    counters_.add(p.cookie == dns::CookieState::valid ? Stat::cookies_valid : Stat::cookies_client);
}

// The state after the check decides. So a client with a cookie passes, and a spoofer of its address
// causes one reply that is not larger than its query.
[[gnu::cold, gnu::noinline]] void Cookies::refuse(Burst& burst, Replier& replier) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        Packet& p = burst.packets[place];
        if (!p.client.is_udp() || p.cookie == dns::CookieState::valid ||
            mode_of(p) != CookieMode::required_under_load) {
            burst.live[kept++] = place;
        } else if (p.cookie == dns::CookieState::client) {
            replier.answer_error(p, dns::kBadCookie, std::nullopt, Verdict::bad_cookie);
        } else {
            replier.answer_truncated(p, Verdict::truncated_cookie);
        }
    }
    burst.live_count = kept;
}

}  // namespace steer
