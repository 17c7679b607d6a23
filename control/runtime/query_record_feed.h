// The only reader of the workers' query records (dataplane/stages/query_record.h): passes each
// record to all takers.
//
// Each taker has a wish. Workers record for the largest wish, so a taker may get more than it
// requested. `stands_for` is the number of queries that a record represents. Without a wish,
// workers record nothing.
//
// A separate thread, or a taker's timer on the main thread, calls poll(). A mutex lets one thread
// poll at a time. Takers run on the polling thread and may not call the feed.
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
        std::uint32_t one_in = 0;          // one query of N; 0: none
        std::uint16_t query_bytes = 0;     // 0: the question, perhaps only in the response
        std::uint16_t response_bytes = 0;  // 0: none
        bool operator==(const Wish&) const = default;
    };

    explicit QueryRecordFeed(DataplaneRuntime& runtime);  // `runtime` must outlive it
    ~QueryRecordFeed();
    QueryRecordFeed(const QueryRecordFeed&) = delete;
    QueryRecordFeed& operator=(const QueryRecordFeed&) = delete;

    // Returns the taker's number. It gets no records before its first wish.
    unsigned add(Taker taker);
    void remove(unsigned taker);
    void wish(unsigned taker, const Wish& wish);
    // Reads the available records, at most one full ring per worker; returns their number.
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
