// Marks queries for names that a rule may block (answer/name_rules.h), so that their programs run
// from the beginning.
//
// In:   parsed packets, and the table of rules in force; nullptr: there is none.
// Out:  burst.covered. These packets do not come into the packet cache.
// Cost: without rules that block, none. With them, a hash for each label of each name.
// Ends: none.
#pragma once

#include "dataplane/answer/name_rules.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/packet_cache.h"

namespace steer {

class RuleWatch {
  public:
    // Call it before the burst's packet cache is searched: forgets its messages if rules that block
    // have changed.
    void begin(const NameRules* rules, PacketCache& packet_cache) noexcept {
        const std::uint64_t version =
            rules != nullptr && rules->has_blocks() ? rules->version() : 0;
        if (version == version_) [[likely]]
            return;
        version_ = version;
        packet_cache.clear();
    }

  private:
    std::uint64_t version_ = 0;  // of the last table with rules that block; 0: none
};

void mark_covered(Burst& burst, const NameRules* rules) noexcept;

}  // namespace steer
