#include "dataplane/policy/snapshot.h"

#include <algorithm>

#include "dataplane/policy/guard.h"

namespace steer {

Result<void> equip(Snapshot& snapshot, unsigned workers) {
    snapshot.tag_sets = std::make_unique<TagSets>();
    snapshot.scratches.resize(workers);
    if (snapshot.names != nullptr) {
        for (auto& scratch : snapshot.scratches) {
            if (auto ready = snapshot.names->prepare(scratch); !ready) return ready.error();
        }
    }
    for (const AnswerTable& table : snapshot.answer_tables) {
        for (auto& scratch : snapshot.scratches) {
            if (auto ready = table.names.prepare(scratch); !ready) return ready.error();
        }
    }
    for (const StaticRecords& records : snapshot.statics) {
        for (auto& scratch : snapshot.scratches) {
            if (auto ready = records.by_name.prepare(scratch); !ready) return ready.error();
            for (const StaticRecords::ByType& of : records.by_type) {
                if (auto ready = of.names.prepare(scratch); !ready) return ready.error();
            }
        }
    }
    for (const Redirect& redirect : snapshot.redirects) {
        for (auto& scratch : snapshot.scratches) {
            if (auto ready = redirect.names.prepare(scratch); !ready) return ready.error();
        }
    }
    for (const Rpz& rpz : snapshot.rpzs) {
        for (auto& scratch : snapshot.scratches) {
            for (const Rpz::Zone& zone : rpz.zones) {
                if (auto ready = zone.names.prepare(scratch); !ready) return ready.error();
                if (auto ready = zone.below.prepare(scratch); !ready) return ready.error();
            }
        }
    }
    for (TextMatch& match : snapshot.text_matches) {
        if (auto ready = match.test.prepare(workers); !ready) return ready.error();
    }
    snapshot.list_by_id.fill(kNoList);
    for (std::size_t i = 0; i < snapshot.lists.size() && i < kNoList; ++i) {
        if (snapshot.lists[i].shared != Sharing::keep)
            snapshot.watched_lists.push_back(static_cast<std::uint8_t>(i));
        if (snapshot.lists[i].id < kMaxLists) {
            snapshot.list_by_id[snapshot.lists[i].id] = static_cast<std::uint8_t>(i);
        }
    }
    for (const Inheriting& set : snapshot.inheriting)
        snapshot.all_inheriting |= set.sets;
    mark_guards(snapshot);
    mark_prefix(snapshot);
    return {};
}

}  // namespace steer
