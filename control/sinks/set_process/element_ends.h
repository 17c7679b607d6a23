// The removal times of elements that the kernel does not expire: routes.
//
// An element ends `linger_s` after its lease. An element that was removed before ends at least
// `apart_s` after that removal. With BGP, a removal is a withdrawal, for which a peer with route
// flap damping (RFC 2439) increases the route's penalty.
//
// Without a clock of its own. About 100 bytes per removed element for `apart_s`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

#include "control/sinks/set_process/kernel_set.h"
#include "routeros/keyed_hash.h"

namespace steer::sets {

struct PrefixHash {
    std::size_t operator()(const matchers::Prefix& p) const noexcept {
        return routeros::keyed_hash(p.address.high(), p.address.low(), p.length);
    }
};

class ElementEnds {
  public:
    // Remembers at most `most` removals; the oldest are forgotten first.
    void configure(const SetEnds& ends, std::size_t most);
    [[nodiscard]] const SetEnds& ends() const { return ends_; }

    struct End {
        std::uint32_t at_s;
        bool is_damped;  // later than lease and linger
    };
    [[nodiscard]] End end_of(const matchers::Prefix& element, std::uint32_t lease_end_s) const;

    void removed(const matchers::Prefix& element, std::uint32_t now_s);
    // Forgets the removals that are `apart_s` ago.
    void forget(std::uint32_t now_s);

  private:
    using Entry = std::pair<std::uint32_t, matchers::Prefix>;

    SetEnds ends_;
    std::size_t most_ = 0;
    std::unordered_map<matchers::Prefix, std::uint32_t, PrefixHash> removed_;  // when last
    std::deque<Entry> removals_;                                               // the oldest first
};

}  // namespace steer::sets
