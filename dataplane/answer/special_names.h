// Names that this server answers itself, because no name server of the public DNS has them:
// special-use names (RFC 6761, 6762, 7686, 8375, 9476) and empty zones (RFC 6303, 7793).
// control/config/special_names.h has the table.
//
// A `forward` checks this before it asks an upstream, so records of the configuration and leases
// come first. Built by control/program/build, immutable; any number of workers look up at the same
// time.
//
// Cost: for other names one multiplication and one bit of a filter over the last bytes of the name.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dataplane/answer/answer_store.h"
#include "dataplane/base/counters.h"
#include "dataplane/dns/wire.h"

namespace steer {

class SpecialNames {
  public:
    // What a name and all names below it are answered with. kNoAnswer: as `apex` or `below` says.
    struct Name {
        AnswerRef apex = kNoAnswer;   // the name itself, other types
        AnswerRef below = kNoAnswer;  // names below it, other types
        AnswerRef soa = kNoAnswer, ns = kNoAnswer, pointer = kNoAnswer;  // of the name itself
        AnswerRef a = kNoAnswer, aaaa = kNoAnswer;                       // at any depth
        bool is_private = false;  // networks with private addresses use it
        bool is_always = false;   // no forward sends it upstream, whatever its settings
        // The parent zone is public and has the DS record of the name (RFC 4035 3.1.4.1).
        bool has_parent = false;
        Stat counted = Stat::special_names;

        [[nodiscard]] AnswerRef find(std::uint16_t qtype, bool is_apex) const noexcept;
    };
    struct Found {
        const Name* name = nullptr;  // nullptr: none
        bool is_apex = false;
    };

    // `wire`: lower-cased, with the root byte; its last label has two bytes or more. Not while
    // workers read.
    void add(std::span<const std::uint8_t> wire, const Name& name);

    // False: find() has no such name. `name`: lower-cased wire form.
    [[nodiscard]] bool may_have(std::span<const std::uint8_t> name) const noexcept {
        return name.size() >= kKeyBytes && (filter_ >> slot_of(name) & 1) != 0;
    }
    // The longest of these names that `name` is, or is below.
    [[nodiscard]] Found find(std::span<const std::uint8_t> name) const noexcept;

  private:
    static constexpr std::size_t kKeyBytes = 4;  // of the filter: the last ones, with the root

    static unsigned slot_of(std::span<const std::uint8_t> name) noexcept {
        constexpr std::uint32_t kMultiplier = 0x9e3779b1;
        std::uint32_t end;
        std::memcpy(&end, name.data() + name.size() - kKeyBytes, kKeyBytes);
        return end * kMultiplier >> 26;
    }
    struct Place {
        std::uint16_t first;  // of wires_
        std::uint8_t length;
    };
    [[nodiscard]] std::span<const std::uint8_t> wire_at(std::size_t i) const noexcept {
        return {wires_.data() + places_[i].first, places_[i].length};
    }
    [[nodiscard]] bool has_length(std::size_t length) const noexcept {
        return (lengths_[length / 64] >> (length % 64) & 1) != 0;
    }

    std::uint64_t filter_ = 0;
    std::array<std::uint64_t, 4> lengths_{};  // bit n: a name has n bytes
    std::vector<Place> places_;               // by length, then by bytes
    std::vector<Name> names_;                 // of these
    std::vector<std::uint8_t> wires_;
};

}  // namespace steer
