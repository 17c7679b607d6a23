// What names that answers point to get of the sets of those that point to them (`inherit: true`).
#include <algorithm>

#include "dataplane/policy/executor.h"
#include "dataplane/policy/facts.h"

namespace steer {

// What the name's rules say is kept with the name; what it inherited is looked up each time, because it ends.
void Executor::add_inherited(QueryContext& c, Now now) noexcept {
    const cache::Key name = hasher_.of_name(c.asked().name());
    c.snapshot.inherited->for_each(name.low, now.s(), [&](std::uint16_t number) {
        for (const Inheriting& set : c.snapshot.inheriting) {
            if (set.number != number) continue;
            if (c.tags != &c.own_tags) c.own_tags = *c.tags;
            c.own_tags.set(set.own);
            c.tags = &c.own_tags;
        }
    });
}

// The names that a leaving answer points its client to get the sets of its own name, for as long as it may be kept.
void Executor::pass_on(QueryContext& c, Now now) noexcept {
    if (c.response.answer().rcode != dns::kNoError) return;
    const matchers::TagBits& tags = tags_of(c, now);
    if (!tags.any_of(c.snapshot.all_inheriting)) return;
    PointedNames targets(c.response.answer(), c.query.name(), PointedNames::Of::all);
    const std::uint32_t age_s = c.response.age_s(now.s());
    for (auto name = targets.next(); !name.empty(); name = targets.next()) {
        const std::uint32_t ttl_s = targets.ttl_s();
        const std::uint32_t left_s =
            std::min(ttl_s > age_s ? ttl_s - age_s : 0, c.response.ttl_cap_s());
        const cache::Key key = hasher_.of_name(name);
        for (const Inheriting& set : c.snapshot.inheriting) {
            if (!tags.any_of(set.sets)) continue;
            c.snapshot.inherited->learn(key.low, set.number, now.s() + left_s, now.s());
            counters_.add(Stat::names_inherited);
        }
    }
}

}  // namespace steer
