// The facts that form a cache's key.
#pragma once

#include <cstring>
#include <span>

#include "dataplane/cache/cache.h"
#include "dataplane/dns/ecs.h"
#include "dataplane/dns/query.h"
#include "dataplane/policy/admit.h"
#include "dataplane/policy/cache_instance.h"

namespace steer {

// The key facts of a query in a cache instance. A client subnet that is in use is part of every
// key.
inline cache::KeyFacts key_facts(const dns::Query& q, const CacheInstance& instance) noexcept {
    const unsigned dnssec_ok = q.edns.dnssec_ok ? cache::kKeyDo : 0;
    const unsigned checking_disabled = (q.flags & dns::kCd) != 0 ? cache::kKeyCd : 0;
    cache::KeyFacts facts{q.name(), q.qtype, q.qclass, instance.id,
                          static_cast<std::uint8_t>(dnssec_ok | checking_disabled)};
    if (q.edns.ecs_len != 0 && (instance.ecs_in_key || q.ecs_from == dns::EcsFrom::preset)) {
        facts.qname = q.name_and_ecs();
        facts.ecs_len = q.edns.ecs_len;
        facts.flags |= cache::kKeyEcs;
    }
    // Types that dns64 changes for some clients.
    const bool has_family =
        q.qtype == dns::kAaaa || q.qtype == dns::kHttps || q.qtype == dns::kSvcb;
    if (instance.family_in_key && q.over_v4 && has_family) facts.flags |= cache::kKeyV4;
    return facts;
}

// Whether an answer to a query with these facts is valid for the clients of all subnets (RFC 7871
// 7.3.1).
inline bool is_for_all_subnets(const dns::Answer& answer, const cache::KeyFacts& facts) noexcept {
    return facts.ecs_len != 0 && answer.ecs_scope == 0 && !is_failure(answer) &&
           !dns::hides_address(facts.qname.last(facts.ecs_len));
}
// The key of such an answer. The facts must have a subnet. `room` holds the name.
inline cache::KeyFacts for_all_subnets(cache::KeyFacts facts,
                                       std::span<std::uint8_t, 256> room) noexcept {
    const std::size_t name = facts.qname.size() - facts.ecs_len;
    std::memcpy(room.data(), facts.qname.data(), name);
    std::memcpy(room.data() + name, dns::kAllSubnets.data(), dns::kAllSubnets.size());
    facts.qname = room.first(name + dns::kAllSubnets.size());
    facts.ecs_len = static_cast<std::uint8_t>(dns::kAllSubnets.size());
    return facts;
}

}  // namespace steer
