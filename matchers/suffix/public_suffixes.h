// The public suffix list (publicsuffix.org), compiled: finds the part of a name that one owner
// registered.
//
// A public suffix is a domain in which unrelated owners register names: com, co.uk, github.io. The
// registrable domain is the suffix and one label. Shared resources are divided by these, so keys()
// returns a name's levels as keys. No other code cuts labels. Without a list, the last label is the
// suffix (the list's rule "*").
//
// Immutable: one block of slots, by a keyed hash of each level (label_hash.h). A lookup allocates
// nothing and never waits. It costs one hash per label and one probe per label of the suffix. Any
// thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "matchers/arena.h"
#include "matchers/domain/label_hash.h"

namespace steer::matchers {

// The levels of a name that have shares, the widest first.
enum class DomainLevel : std::uint8_t {
    platform,  // the suffix, if the list's private part has it (github.io)
    domain,    // the registrable domain; for a public suffix, the name itself
    below,     // with one more label
    below2,    // with two more labels
};
inline constexpr std::size_t kDomainLevels = 4;

// Keyed hashes of a name's levels; 0: the name has no such level.
struct DomainKeys {
    std::array<std::uint64_t, kDomainLevels> of{};
    [[nodiscard]] std::uint64_t operator[](DomainLevel level) const noexcept {
        return of[static_cast<std::size_t>(level)];
    }
    friend bool operator==(const DomainKeys&, const DomainKeys&) = default;
};

class PublicSuffixes {
  public:
    PublicSuffixes();  // no list

    // `name`: lower-cased wire form with the root byte; an empty name counts as the root.
    [[nodiscard]] DomainKeys keys(std::span<const std::uint8_t> name) const noexcept;
    // The same for presentation form (RFC 1035 5.1), in any case. A text that is not a name counts
    // as the root.
    [[nodiscard]] DomainKeys keys(std::string_view text) const noexcept;

    // The registrable domain, as a part of `name`. For a public suffix or the root, the whole name.
    [[nodiscard]] std::span<const std::uint8_t> domain_of(
        std::span<const std::uint8_t> name) const noexcept;
    [[nodiscard]] std::string_view domain_of(std::string_view text) const noexcept;
    // Whether unrelated owners register names below it. True for the root, and without a list for
    // every top-level domain.
    [[nodiscard]] bool is_suffix(std::span<const std::uint8_t> name) const noexcept;
    [[nodiscard]] bool is_suffix(std::string_view text) const noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return rules_; }

    // The current table, which every thread reads; at first one without a list.
    [[nodiscard]] static const PublicSuffixes& current() noexcept {
        return *in_force().load(std::memory_order_acquire);
    }
    // Makes a table the current one. The previous one stays in memory (256 KiB), because readers do
    // not report their end. A list changes only with its package. One caller at a time.
    static void publish(PublicSuffixes table);

  private:
    friend class PublicSuffixBuilder;

    // Flags of a node, in the low byte of its slot. The other bytes are those of the hash.
    static constexpr std::uint64_t kRule = 1, kException = 2, kPrivate = 4, kAnyBelow = 8,
                                   kPrivateBelow = 16, kParent = 32;
    static constexpr std::uint64_t kFlags = 0xff;
    static constexpr unsigned kDeepest = 8;  // labels of a rule
    static constexpr std::size_t kLevels = kDeepest + 4;
    static constexpr std::size_t kMaxLabels = 128;

    struct Walk {
        std::array<std::uint64_t, kLevels + 1> hash{};  // of the last 0, 1, 2 … labels
        unsigned labels = 0;                            // of the name
        unsigned suffix = 0;                            // number of these in its public suffix
        bool is_private = false;
        [[nodiscard]] unsigned domain() const noexcept {
            return suffix < labels ? suffix + 1 : labels;
        }
    };
    struct Starts {
        std::array<std::uint8_t, kMaxLabels> at;
        unsigned labels = 0;
    };
    static std::atomic<const PublicSuffixes*>& in_force() noexcept;
    static Starts starts_of(std::span<const std::uint8_t> name) noexcept;
    [[nodiscard]] Walk walk(std::span<const std::uint8_t> name,
                            const Starts& starts) const noexcept;
    [[nodiscard]] static DomainKeys keys_of(const Walk& walk) noexcept;
    [[nodiscard]] std::uint64_t flags_of(std::uint64_t hash) const noexcept;
    [[nodiscard]] std::uint64_t* slots() noexcept {
        return reinterpret_cast<std::uint64_t*>(arena_.data());
    }
    [[nodiscard]] const std::uint64_t* slots() const noexcept {
        return reinterpret_cast<const std::uint64_t*>(arena_.data());
    }

    LabelHash hash_;
    Arena arena_;  // slots: a power of two, at most half full; empty: no list
    std::uint64_t mask_ = 0;
    std::size_t rules_ = 0;
};

// Collects rules and compiles them.
class PublicSuffixBuilder {
  public:
    enum class Kind : std::uint8_t { plain, any_below /* *. */, exception /* ! */ };
    // `name`: ASCII, in any case, without "*." and "!". Returns false if it is not a name, or has
    // too many labels.
    bool add(std::string_view name, Kind kind, bool is_private);
    [[nodiscard]] PublicSuffixes build() const;

  private:
    std::map<std::string, std::uint64_t> nodes_;  // by wire form without the root byte
    std::size_t rules_ = 0;
};

}  // namespace steer::matchers
