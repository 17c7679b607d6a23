#include "dataplane/stages/cookies.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/stages/limit.h"
#include "dataplane/stages/reply.h"

namespace steer {
namespace {

constexpr std::size_t kSize4 = 4, kSize6 = 16;

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
    may_be_off_ =
        snapshot->frontends.cookies_differ || snapshot->frontends.cookies == CookieMode::off;
    if (!snapshot->frontends.require_cookies) return;
    if (parked.is_high() || outstanding.is_high()) load_until_ms_ = now.ms + kLoadMs;
    are_required_ = now.ms < load_until_ms_;
}

CookieMode Cookies::mode_of(const Packet& p) const noexcept {
    return snapshot_->frontends.cookies_of(p.destination, p.destination_port);
}

// A cookie that cannot be returned as it is.
[[gnu::noinline]] void Cookies::judge_other(Packet& p, const std::uint8_t* cookie, std::size_t size,
                                            Batch& batch) noexcept {
    dns::Cookie own{};
    std::memcpy(own.data(), cookie,
                size == dns::kCookieSize ? dns::kCookieSize : dns::kClientCookieSize);
    const bool is_valid =
        dns::check_cookie(own, *keys_, now_s_, address_of(p.client.address)).is_valid;
    p.query.set_cookie(own);
    p.returned_cookie_length = 0;
    p.cookie = is_valid ? dns::CookieState::valid : dns::CookieState::client;
    ++(is_valid ? batch.valid : batch.client);
}

// Free lanes of the last group get a copy of the first cookie.
[[gnu::noinline]] void Cookies::judge_lanes(Lanes& lanes, std::size_t address_size,
                                            Batch& batch) noexcept {
    const std::size_t count = lanes.count;
    for (std::size_t i = count; i % dns::kCookieLanes != 0; ++i)
        lanes.in[i] = lanes.in[0];
    const dns::CookieSecret secret = keys_->current;  // registers: packets cannot change it
    unsigned valid = 0;
    for (std::size_t from = 0; from < count; from += dns::kCookieLanes) {
        const std::span<const dns::CookieInput, dns::kCookieLanes> group(&lanes.in[from],
                                                                         dns::kCookieLanes);
        dns::CookieHashes right;
        dns::cookie_hashes(secret, group, address_size, right);
        const std::size_t size = std::min(count - from, std::size_t{dns::kCookieLanes});
        for (std::size_t i = 0; i < size; ++i) {
            Packet& p = *lanes.packets[from + i];
            const std::uint8_t* const cookie = group[i].cookie;
            if (std::memcmp(cookie + dns::kCookieHashAt, &right.hashes[i],
                            sizeof right.hashes[i]) == 0) [[likely]] {
                std::memcpy(p.query.cookie.data(), cookie, dns::kCookieSize);
                p.query.cookie_sum = right.sums[i];
                p.returned_cookie_length = dns::kCookieSize;
                p.cookie = dns::CookieState::valid;
                ++valid;
            } else {
                judge_other(p, cookie, dns::kCookieSize, batch);
            }
        }
    }
    batch.valid += valid;
}

void Cookies::judge(Packet& p, std::size_t at, std::size_t size, Batch& batch) noexcept {
    p.cookie = dns::CookieState::none;
    p.returned_cookie_length = 0;
    if (keys_ == nullptr || (may_be_off_ && mode_of(p) == CookieMode::off)) return;
    const std::uint8_t* const cookie = p.dns + at;
    if (size != dns::kCookieSize || !dns::may_be_returned(cookie, now_s_))
        return judge_other(p, cookie, size, batch);
    const IpAddress& address = p.client.address;
    const bool is_v4 = address.is_v4();
    Lanes& lanes = is_v4 ? batch.v4 : batch.v6;
    lanes.in[lanes.count] = {cookie, is_v4 ? address.v4() : address.bytes.data()};
    lanes.packets[lanes.count] = &p;
    ++lanes.count;
}

void Cookies::finish(Batch& batch) noexcept {
    if (batch.v4.count != 0) judge_lanes(batch.v4, kSize4, batch);
    if (batch.v6.count != 0) judge_lanes(batch.v6, kSize6, batch);
    if (batch.valid != 0) counters_.add(Stat::cookies_valid, batch.valid);
    if (batch.client != 0) counters_.add(Stat::cookies_client, batch.client);
}

[[gnu::noinline]] void Cookies::judge_end(Packet& p, Batch& batch) noexcept {
    const std::size_t size = dns::cookie_at_end({p.dns, p.dns_length});
    p.cookie_length = static_cast<std::uint8_t>(size);
    if (size != 0) judge(p, p.dns_length - size, size, batch);
}

// The loop has the usual case: a cookie that is probably returned, of a client with IPv4.
void Cookies::check_ends(Burst& burst) noexcept {
    Batch batch;
    Lanes usual;
    std::size_t n = 0;  // a register, unlike Lanes::count
    // Longer than any message, if the listener has to be asked about each cookie.
    const std::size_t least =
        keys_ != nullptr && !may_be_off_ ? dns::kLeastWithCookie : std::size_t{UINT16_MAX} + 1;
    const std::uint32_t now_s = now_s_;
    for (std::uint32_t left = burst.cookie_ends; left != 0; left &= left - 1) {
        Packet& p = burst.packets[static_cast<unsigned>(__builtin_ctz(left))];
        const std::uint8_t* const end = p.dns + p.dns_length;
        const std::uint8_t* const cookie = end - dns::kCookieSize;
        if (p.dns_length < least || !dns::ends_with_option(end, dns::kCookieSize) ||
            !dns::may_be_returned(cookie, now_s) || !p.client.address.is_v4()) [[unlikely]] {
            judge_end(p, batch);
            continue;
        }
        p.cookie_length = dns::kCookieSize;
        usual.in[n] = {cookie, p.client.address.v4()};
        usual.packets[n++] = &p;
    }
    usual.count = n;
    if (n != 0) judge_lanes(usual, kSize4, batch);
    finish(batch);
}

// The packet's end is not its cookie, so its bytes are not those of a line of the packet cache.
void Cookies::check(Burst& burst, Replier& replier, Limiter& limiter, Now now) noexcept {
    Batch batch;
    for (std::uint32_t left = burst.with_cookie; left != 0; left &= left - 1) {
        Packet& p = burst.packets[static_cast<unsigned>(__builtin_ctz(left))];
        p.packet_cache_hash = 0;
        p.cookie_length = 0;
        p.cookie = dns::CookieState::none;
        if (p.query.cookie_length != 0) judge(p, p.query.cookie_at, p.query.cookie_length, batch);
    }
    finish(batch);
    for (std::uint32_t left = burst.with_cookie; left != 0; left &= left - 1) {
        Packet& p = burst.packets[static_cast<unsigned>(__builtin_ctz(left))];
        p.query.edns.cookie = p.cookie;
    }
    if (are_required_) refuse(burst, replier, limiter, now);
}

void Cookies::complete_now(Packet& p) noexcept {
    if (!p.has_cookie_at_end()) {
        Batch batch;
        judge(p, p.query.cookie_at, p.query.cookie_length, batch);
        finish(batch);
    }
    p.query.edns.cookie = p.cookie;
}

// The state after the check decides. So a client with a cookie passes, and a spoofer of its address
// causes one reply that is at most 16 bytes larger than its query: the server's part of the cookie.
[[gnu::cold, gnu::noinline]] void Cookies::refuse(Burst& burst, Replier& replier, Limiter& limiter,
                                                  Now now) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        Packet& p = burst.packets[place];
        if (!p.client.is_udp() || p.cookie == dns::CookieState::valid ||
            mode_of(p) != CookieMode::required_under_load) {
            burst.live[kept++] = place;
            continue;
        }
        if (end_if_limited(p, *snapshot_, dns::kNoError, false, limiter, replier, now)) continue;
        if (p.cookie == dns::CookieState::client) {
            replier.answer_error(p, dns::kBadCookie, std::nullopt, Verdict::bad_cookie);
        } else {
            replier.answer_truncated(p, Verdict::truncated_cookie);
        }
    }
    burst.live_count = kept;
}

}  // namespace steer
