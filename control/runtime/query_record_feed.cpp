#include "control/runtime/query_record_feed.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace steer {
namespace {

std::vector<RecordRing*> rings_of(DataplaneRuntime& runtime) {
    std::vector<RecordRing*> rings;
    for (unsigned w = 0; w < runtime.workers(); ++w)
        rings.push_back(&runtime.records(w));
    return rings;
}

}  // namespace

QueryRecordFeed::QueryRecordFeed(DataplaneRuntime& runtime)
    : shared_(runtime.shared()), records_(rings_of(runtime)) {}

QueryRecordFeed::~QueryRecordFeed() {
    shared_.record_one_in.store(0, std::memory_order_relaxed);
}

unsigned QueryRecordFeed::add(Taker taker) {
    const std::lock_guard lock(mutex_);
    takers_[next_] = {std::move(taker), {}};
    return next_++;
}

void QueryRecordFeed::remove(unsigned taker) {
    const std::lock_guard lock(mutex_);
    takers_.erase(taker);
    apply_wishes();
}

void QueryRecordFeed::wish(unsigned taker, const Wish& wish) {
    const std::lock_guard lock(mutex_);
    takers_.at(taker).wish = wish;
    apply_wishes();
}

void QueryRecordFeed::apply_wishes() noexcept {
    Wish all;
    for (const auto& [number, known] : takers_) {
        const Wish& one = known.wish;
        if (one.one_in == 0) continue;
        all.one_in = all.one_in == 0 ? one.one_in : std::min(all.one_in, one.one_in);
        all.query_bytes = std::max(all.query_bytes, one.query_bytes);
        all.response_bytes = std::max(all.response_bytes, one.response_bytes);
    }
    shared_.record_query_bytes.store(all.query_bytes, std::memory_order_relaxed);
    shared_.record_response_bytes.store(all.response_bytes, std::memory_order_relaxed);
    shared_.record_one_in.store(all.one_in, std::memory_order_relaxed);
}

unsigned QueryRecordFeed::poll() {
    const std::lock_guard lock(mutex_);
    return records_.for_each([this](const QueryRecordView& record) {
        for (const auto& [number, known] : takers_) {
            if (known.wish.one_in != 0) known.taker(record);
        }
    });
}

}  // namespace steer
