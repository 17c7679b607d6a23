// The records of one owner of a response policy zone as a trigger and an action
// (draft-vixie-dnsop-dns-rpz-00).
//
// They mean the same as in zone text (matchers/list/rpz_zone.h, control/config/plugins/rpz.cpp); a
// test compares both. Records of the apex and of DNSSEC are no policy. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/config/settings.h"
#include "control/sources/transfer/zone_contents.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer::transfer {

struct PolicyTrigger {
    enum class Kind : std::uint8_t { none, name, below, client, address };
    Kind kind = Kind::none;  // none: no policy
    Bytes name;              // of name and below: without the zone; below the root: every name
    matchers::Prefix prefix;
    bool is_v4 = false;
};

// Error: it cannot be applied.
Result<PolicyTrigger> policy_trigger(ByteSpan owner, ByteSpan zone);

// Of the records of a trigger. Error: they cannot be applied. Not for owners that are no policy.
Result<config::RpzAction> policy_action_of(ByteSpan owner, OwnerRecords records, ByteSpan zone);

// Whether records of this type are policy below the apex.
bool is_policy_type(std::uint16_t type);

}  // namespace steer::transfer
