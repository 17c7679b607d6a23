#include "routeros/shares.h"

#include <algorithm>
#include <random>
#include <span>

#include "matchers/suffix/public_suffixes.h"

namespace steer::routeros {

namespace {

std::uint64_t mix(std::uint64_t h) {
    h = (h ^ (h >> 31)) * 0xbf58476d1ce4e5b9ULL;
    h = (h ^ (h >> 29)) * 0x94d049bb133111ebULL;
    return h ^ (h >> 32);
}

std::uint64_t secret() {
    static const std::uint64_t key = [] {
        std::random_device random;
        return (std::uint64_t{random()} << 32) | random();
    }();
    return key;
}

// Never 0.
std::uint32_t folded(std::uint64_t h) {
    const auto half = static_cast<std::uint32_t>(mix(h));
    return half == 0 ? 1 : half;
}

// Never 0.
template <class Bytes>
std::uint32_t hash_of(ListId list, ShareKind kind, const Bytes& bytes) {
    std::uint64_t h = secret() ^ mix((std::uint64_t{list} << 8) | static_cast<std::uint64_t>(kind));
    for (const auto byte : bytes)
        h = mix(h ^ static_cast<std::uint8_t>(byte)) + 0x9e3779b97f4a7c15ULL;
    return folded(h);
}

// Of a key that is hashed with a secret already. Never 0.
std::uint32_t holder_of(ListId list, ShareKind kind, std::uint64_t key) {
    return folded(key ^ mix((std::uint64_t{list} << 8) | static_cast<std::uint64_t>(kind)));
}

}  // namespace

ClaimBounds::ClaimBounds(std::size_t most, std::size_t per_name, std::size_t per_domain,
                         std::size_t per_client)
    : ClaimBounds(most) {
    const auto set = [this](ShareKind kind, std::size_t count) {
        share[static_cast<std::size_t>(kind)] = count;
    };
    set(ShareKind::name, per_name);
    set(ShareKind::suffix, per_domain);
    set(ShareKind::client, per_client);
    if (per_domain >= most) return;
    set(ShareKind::platform, std::max(most / 2, per_domain));
    set(ShareKind::below,
        std::max({per_domain / 2, std::min(per_name, per_domain), std::size_t{1}}));
    set(ShareKind::below2,
        std::max({per_domain / 4, std::min(per_name, per_domain), std::size_t{1}}));
}

Holders Shares::holders_of(ListId list, const Origin& origin) {
    Holders holders{};
    if (!origin.name.empty()) {
        holders[0] = hash_of(list, ShareKind::name, origin.name);
        using matchers::DomainLevel;
        const matchers::DomainKeys keys = matchers::PublicSuffixes::current().keys(origin.name);
        const auto hold = [&](ShareKind kind, DomainLevel level) {
            if (keys[level] == 0) return;
            holders[static_cast<std::size_t>(kind)] = holder_of(list, kind, keys[level]);
        };
        hold(ShareKind::suffix, DomainLevel::domain);
        hold(ShareKind::platform, DomainLevel::platform);
        hold(ShareKind::below, DomainLevel::below);
        hold(ShareKind::below2, DomainLevel::below2);
    }
    if (origin.client) {
        // An IPv6 client is its /64.
        const bool v4 = Address::host(*origin.client).menu() == Menu::ip;
        const std::span<const std::uint8_t> bytes{origin.client->data(), v4 ? 16U : 8U};
        holders[2] = hash_of(list, ShareKind::client, bytes);
    }
    return holders;
}

Holders Shares::within(const Holders& holders, std::uint32_t book) {
    Holders out{};
    for (std::size_t kind = 0; kind < kShareKinds; ++kind) {
        if (holders[kind] != 0) out[kind] = folded((std::uint64_t{book} << 32) | holders[kind]);
    }
    return out;
}

std::size_t Shares::place(std::size_t row, std::uint32_t holder) {
    const std::uint64_t h = mix(std::uint64_t{holder} * (2 * row + 1) + row);
    return row * kWidth + h % kWidth;
}

std::size_t Shares::count(ShareKind kind, std::uint32_t holder) const {
    const auto& counts = counts_[static_cast<std::size_t>(kind)];
    if (holder == 0 || counts.empty()) return 0;
    std::uint32_t least = UINT32_MAX;
    for (std::size_t row = 0; row < kRows; ++row)
        least = std::min(least, counts[place(row, holder)]);
    return least;
}

void Shares::add(ShareKind kind, std::uint32_t holder, int change) {
    if (holder == 0) return;
    auto& counts = counts_[static_cast<std::size_t>(kind)];
    if (counts.empty()) counts.resize(kRows * kWidth);
    for (std::size_t row = 0; row < kRows; ++row)
        counts[place(row, holder)] += static_cast<std::uint32_t>(change);
}

void Shares::add(const Holders& holders, int change) {
    for (std::size_t kind = 0; kind < kShareKinds; ++kind)
        add(static_cast<ShareKind>(kind), holders[kind], change);
}

std::optional<ShareKind> Shares::full(const Holders& holders, const ClaimBounds& bounds) const {
    for (std::size_t i = 0; i < kShareKinds; ++i) {
        const auto kind = static_cast<ShareKind>(i);
        if (count(kind, holders[i]) >= bounds.of(kind)) return kind;
    }
    return std::nullopt;
}

double Shares::pressure(const Holders& holders, const ClaimBounds& bounds, std::size_t more) const {
    double most = 0;
    for (std::size_t i = 0; i < kShareKinds; ++i) {
        const auto kind = static_cast<ShareKind>(i);
        if (holders[i] == 0 || bounds.of(kind) == SIZE_MAX) continue;
        const auto has = static_cast<double>(count(kind, holders[i]) + more);
        most = std::max(most, has / static_cast<double>(std::max<std::size_t>(bounds.of(kind), 1)));
    }
    return most;
}

}  // namespace steer::routeros
