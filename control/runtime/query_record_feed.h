// The one reader of the workers' query records (dataplane/stages/query_record.h): hands each record to all takers.
//
// A taker says what it wishes; workers record for the greediest wish, so a taker may get more than it asked for:
// `stands_for` says what a record represents. Without a wish, workers record nothing.
//
// A thread of its own, or a taker's timer on the main thread, calls poll(). A mutex lets one thread poll at a time. Takers
// run on the polling thread and may not call the feed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "control/runtime/dataplane_runtime.h"

namespace steer {

class QueryRecordFeed {
  public:
    using Taker = std::function<void(const QueryRecordView& record)>;
    struct Wish {
        std::uint32_t one_in = 0;          // one query in this number; 0: none
        std::uint16_t query_bytes = 0;     // beyond the question, which is always there
        std::uint16_t response_bytes = 0;  // 0: none
        bool operator==(const Wish&) const = default;
    };

    explicit QueryRecordFeed(DataplaneRuntime& runtime);  // which outlives it
    ~QueryRecordFeed();
    QueryRecordFeed(const QueryRecordFeed&) = delete;
    QueryRecordFeed& operator=(const QueryRecordFeed&) = delete;

    // Returns its number. It gets no records until it wishes for some.
    unsigned add(Taker taker);
    void remove(unsigned taker);
    void wish(unsigned taker, const Wish& wish);
    // Reads what is there, at most one ring's contents per worker; returns the number of records.
    unsigned poll();

  private:
    struct Known {
        Taker taker;
        Wish wish;
    };
    void apply_wishes() noexcept;

    Shared& shared_;
    std::mutex mutex_;
    QueryRecords records_;
    std::map<unsigned, Known> takers_;
    unsigned next_ = 0;
};

}  // namespace steer
