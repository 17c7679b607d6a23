// Counts claims per name, domain and client of each list, so that none of them uses up a list. A
// domain is the registrable one (matchers/suffix). Its parts, and its platform, have their own
// shares.
//
// The counts are two hashed rows of counters per kind (a count-min sketch). A count is never too
// low. It is too high only for a key that collides in both rows. The hash is keyed per process,
// because the owners of policy domains choose the names. Memory: 128 KiB per kind, taken with the
// first claim.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"

namespace steer::routeros {

using ListId = std::uint16_t;  // the caller's number for a policy list on this router

// suffix: the registrable domain; platform, below, below2: as matchers::DomainLevel.
enum class ShareKind : std::uint8_t { name, suffix, client, platform, below, below2 };
inline constexpr std::size_t kShareKinds = 6;

// The origin of a claim.
struct Origin {
    std::string_view name{};               // in text form
    std::optional<AddressBytes> client{};  // no value: a forwarder, without a share
    Origin() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): most have a name and nothing else
    Origin(std::string_view text) : name(text) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Origin(const std::string& text) : name(text) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Origin(const char* text) : name(text) {}
    Origin(std::string_view text, const AddressBytes& from) : name(text), client(from) {}
};

// The limits that settings give; SIZE_MAX: none.
struct ShareLimits {
    std::size_t per_name = SIZE_MAX, per_domain = SIZE_MAX, per_client = SIZE_MAX;
    [[nodiscard]] bool any() const {
        return per_name != SIZE_MAX || per_domain != SIZE_MAX || per_client != SIZE_MAX;
    }
    bool operator==(const ShareLimits&) const = default;
};

// Limits of claims in a list: in total, and per holder of each kind.
struct ClaimBounds {
    std::size_t total;
    std::array<std::size_t, kShareKinds> share;
    // NOLINTNEXTLINE(google-explicit-constructor): a bound without shares
    ClaimBounds(std::size_t most) : total(most) { share.fill(SIZE_MAX); }
    // A platform has half of the total. Parts of a domain have a half and a quarter of its share.
    // Each has at least the share of the levels within it. If a domain may have everything, there
    // are no shares.
    ClaimBounds(std::size_t most, std::size_t per_name, std::size_t per_domain,
                std::size_t per_client);
    ClaimBounds(std::size_t most, const ShareLimits& limits)
        : ClaimBounds(most, limits.per_name, limits.per_domain, limits.per_client) {}
    [[nodiscard]] std::size_t of(ShareKind kind) const {
        return share[static_cast<std::size_t>(kind)];
    }
    // Without a limit no share is kept.
    [[nodiscard]] bool has_shares() const {
        return share != std::array{SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    }
};

// Hashes of the holders of a claim, by kind; 0: none.
using Holders = std::array<std::uint32_t, kShareKinds>;

class Shares {
  public:
    [[nodiscard]] static Holders holders_of(ListId list, const Origin& origin);
    // The same holders in one of several books that share these counts.
    [[nodiscard]] static Holders within(const Holders& holders, std::uint32_t book);
    [[nodiscard]] std::size_t count(ShareKind kind, std::uint32_t holder) const;
    void add(ShareKind kind, std::uint32_t holder, int change);
    void add(const Holders& holders, int change);
    // The first kind with a used-up share; no value: none.
    [[nodiscard]] std::optional<ShareKind> full(const Holders& holders,
                                                const ClaimBounds& bounds) const;
    // The largest used part of a share; 1 is the whole share. `more`: further claims to include.
    [[nodiscard]] double pressure(const Holders& holders, const ClaimBounds& bounds,
                                  std::size_t more = 0) const;

  private:
    static constexpr std::size_t kRows = 2, kWidth = 16'384;
    static std::size_t place(std::size_t row, std::uint32_t holder);
    std::array<std::vector<std::uint32_t>, kShareKinds> counts_;  // kRows * kWidth, or empty
};

}  // namespace steer::routeros
