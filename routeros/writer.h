// The queue of writes to a router: their order and batch size.
//
// Three classes: held (an answer waits: no share limit, first), repair (after a reconnect),
// routine. The last two have shares of the router's time, charged with the measured service time.
// Even on a slow router, the shares are kept, down to one row every two seconds. The first writes
// are charged again when their time is known; until the first reply, at most two sentences are in
// flight. At most one write per place is queued or in flight: the place is checked again when it
// ends. Extends with the same timeout share a sentence, including those that still gather. No
// sentence has more than `batch_ms` of estimated work, and none above 20 ms while held writes
// exist. An extend that is due (its row is about to end) counts as held from then on.
//
// Within a class, flows take turns (fair_queue.h); within a flow, the earliest due time goes first.
// A new flow goes before the others' backlog, for held and routine writes, with at most a quantum
// in flight. Its routine writes may overdraw the share by as much as can be saved up. If there are
// several flows, a flow with a backlog has only as much in flight as keeps the router busy (a round
// trip and a row). So a new flow waits no longer than that. The same limit applies to its scripts.
//
// If many adds without waiting answers are queued, and scripts are on, adds share a sentence too: a
// batch of several is a script. Scripts stay short for ten seconds after an answer waited.
//
// Rows without timeout are `saved`: each change of one makes the router write its flash. Those
// without a waiting answer gather, and are sent together once a second; the first is sent at once.
// Their class may use its whole share of that second for them. A held one is sent at once and
// begins such a burst, because the router writes its flash anyway. No I/O, no clock.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "routeros/fair_queue.h"
#include "routeros/rows.h"
#include "routeros/service_time.h"
#include "routeros/session.h"
#include "routeros/write_class.h"

namespace steer::routeros {

struct Write {
    Place place;
    WriteKind kind = WriteKind::add;
    WriteClass cls = WriteClass::routine;
    RowId row = 0;                // for all kinds but add
    std::uint32_t timeout_s = 0;  // for extend
    std::uint64_t due_ms = 0;     // the earliest goes first
    bool saved = false;           // row without timeout; not for extend
    bool alone = false;           // add: not in a script
    FlowId flow = kNoFlow;        // the flow that it is charged to
    std::uint64_t since_ms = 0;   // set by put(): time of the first request
};

// The kind of one API sentence.
struct Batch {
    WriteKind kind = WriteKind::add;
    WriteClass cls = WriteClass::routine;
    Table table{};
    std::uint32_t timeout_s = 0;
    std::vector<Write> writes;  // each add has its own timeout_s
    double estimate_us = 0;     // of its work on the router
    std::uint64_t sent_ms = 0;
};

class Writer {
  public:
    static constexpr std::uint32_t kBatchMs = 100;  // of set_batch_ms(), if no answer can wait

    // Shares of the router's time, 0..1.
    Writer(double repair_share, double routine_share) { set_shares(repair_share, routine_share); }

    void set_shares(double repair_share, double routine_share);
    // Sets the largest estimated work of a sentence while no answer waits.
    void set_batch_ms(std::uint32_t ms) { batch_us_ = ms * 1000.0; }
    void set_rtt_ms(std::uint64_t ms) { service_.set_rtt_ms(ms); }
    // Call it while the router is busy with other work: routine writes get half their share.
    void set_brake(bool on) { brake_ = on; }
    // Whether the router runs scripts.
    void set_scripts(bool on) { scripts_ = on; }
    // While prints run, write times are not measured.
    void set_measuring(bool on) { service_.set_measuring(on); }

    // Queues a write, or makes the queued one at that place more urgent. Ignored if that place has
    // one in flight. `gather`: a renewal waits for others with its timeout, for an eighth of the
    // time until it is due, at most 2 s.
    void put(const Write& write, std::uint64_t now_ms, bool gather = false);
    // Removes the queued write at that place.
    void drop(const Place& place);
    // Queues the batch again in halves, before all others, because one of its ids was missing.
    void put_halves(const Batch& batch);
    [[nodiscard]] bool in_flight(const Place& place) const;

    // The next sentence that may be sent now. It is then in flight: call sent() or undo().
    std::optional<Batch> next(std::uint64_t now_ms);
    void sent(Tag tag, Batch batch, std::uint64_t now_ms);
    void undo(std::span<const Write> writes);
    // The router's reply has arrived.
    std::optional<Batch> ended(Tag tag, std::uint64_t now_ms);

    // The time of next()'s next sentence, apart from replies; UINT64_MAX if only a reply or a put()
    // can change that.
    [[nodiscard]] std::uint64_t next_ready_ms(std::uint64_t now_ms) const;
    [[nodiscard]] bool has_held() const;
    [[nodiscard]] std::size_t queued() const;
    // Of these: background changes of rows without timeout.
    [[nodiscard]] std::size_t queued_saved() const { return saved_[1].size() + saved_[2].size(); }
    [[nodiscard]] std::size_t sentences_in_flight() const { return in_flight_.size(); }
    [[nodiscard]] std::size_t places() const { return places_.size(); }
    // When the oldest unfinished add was first needed. Checks all places.
    [[nodiscard]] std::optional<std::uint64_t> oldest_add_ms() const;
    // The time of one add; no value: not measured yet.
    [[nodiscard]] std::optional<double> service_us() const {
        if (!service_.is_measured()) return std::nullopt;
        return service_.sentence_us(WriteKind::add, 1);
    }
    // The latest time of acknowledgement for a held write of this flow, queued or next; 0: not
    // measured yet. Checks all flows with held writes.
    [[nodiscard]] std::uint64_t held_wait_ms(FlowId flow, std::uint64_t now_ms) const;
    // The time that queued writes without waiting answers need with their shares.
    [[nodiscard]] std::uint64_t backlog_ms() const;
    // Estimated work on the router that was charged to a class so far.
    [[nodiscard]] double charged_us(WriteClass cls) const { return bucket(cls).charged_us; }
    // Removes all queued writes.
    void drop_queued();
    // The session is over.
    void clear();

  private:
    enum class Where : std::uint8_t { gathering, queued, in_flight };
    struct Entry {
        Write write;
        Where where = Where::queued;
        std::uint64_t order_ms = 0;  // its key in gathering_ or queues_
    };
    using Order = FairQueue::Order;
    struct Bucket {
        double share = 1;
        double tokens_us = 0;
        bool resting = false;
        double charged_us = 0;  // so far
        // For writes before the write time was known: work with a factor of 1, the charged work,
        // and the missing charge.
        double early_work_us = 0, early_rows = 0, early_charged_us = 0, owed_us = 0;
    };

    [[nodiscard]] FairQueue& queue_of(const Entry& entry);
    [[nodiscard]] const FairQueue& queue_of(WriteClass cls) const {
        return queues_[static_cast<std::size_t>(cls)];
    }
    [[nodiscard]] const FairQueue& saved_of(WriteClass cls) const {
        return saved_[static_cast<std::size_t>(cls)];
    }
    void enqueue(Entry& entry);
    void dequeue(const Entry& entry);
    void promote(std::uint64_t now_ms);
    void refill(std::uint64_t now_ms);
    void charge(const Batch& batch);
    void charge_early_work();
    [[nodiscard]] bool may_send(WriteClass cls) const;
    [[nodiscard]] bool has_window(WriteClass cls, FlowId flow = kNoFlow) const;
    [[nodiscard]] bool is_newcomer(WriteClass cls) const;
    void note_newcomer(FlowId flow);
    [[nodiscard]] bool is_contended() const { return refilled_ms_ < contended_until_ms_; }
    void begin_burst(std::uint64_t now_ms);
    [[nodiscard]] bool in_burst(WriteClass cls) const;
    [[nodiscard]] double in_flight_limit_us() const;
    [[nodiscard]] double oldest_in_flight_us() const;
    [[nodiscard]] double backlog_limit_us() const;
    [[nodiscard]] Bucket& bucket(WriteClass cls) { return buckets_[static_cast<std::size_t>(cls)]; }
    [[nodiscard]] const Bucket& bucket(WriteClass cls) const {
        return buckets_[static_cast<std::size_t>(cls)];
    }
    [[nodiscard]] double rate(WriteClass cls) const;
    // The largest charge for one row.
    [[nodiscard]] double floor_us(WriteClass cls) const;
    Batch take(WriteClass cls, FairQueue& from);
    [[nodiscard]] double limit_us(const Batch& batch, WriteKind kind) const;
    void fill(Batch& batch, FairQueue& from);
    void fill_from_gathering(Batch& batch);
    FairQueue::Choice consider(Batch& batch, const Place& place, bool may_script);

    ServiceTime service_;
    double batch_us_ = kBatchMs * 1000.0;
    bool brake_ = false, scripts_ = false;
    std::uint64_t short_scripts_until_ms_ = 0;
    // Whether there were several flows recently.
    FlowId last_newcomer_ = kNoFlow;
    std::uint64_t last_newcomer_ms_ = 0, contended_until_ms_ = 0;
    std::array<Bucket, kWriteClasses> buckets_;
    std::uint64_t refilled_ms_ = 0;
    boost::unordered_flat_map<Place, Entry, PlaceHash> places_;
    std::array<FairQueue, kWriteClasses> queues_;
    std::array<FairQueue, kWriteClasses> saved_;  // of repair and routine
    std::set<Order> gathering_;
    std::set<Order> deadlines_;  // queued or gathering extends, except held ones
    std::uint64_t next_burst_ms_ = 0;
    bool bursting_ = false;
    std::deque<Batch> halves_;
    boost::unordered_flat_map<Tag, Batch> in_flight_;
    boost::unordered_flat_map<FlowId, std::size_t> flow_in_flight_;  // rows
    double in_flight_us_ = 0, held_in_flight_us_ = 0;
    std::size_t held_in_flight_ = 0;
};

}  // namespace steer::routeros
