// What a worker has asked and not heard yet: a fixed table of outstanding queries and of their attempts.
//
// An outstanding query is one question to one set of upstreams, with every parked query that waits for it. An
// attempt is one query on the wire for an outstanding query. Flights are found by question, attempts by (source
// port, id), which is unique among those in flight. Records are reused; nothing is allocated after
// construction. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/forward/forwarder.h"
#include "dataplane/forward/index_table.h"
#include "dataplane/forward/upstream_choice.h"
#include "dataplane/policy/parked.h"

namespace steer::forward {

// Parked queries chained by Parked::next_waiter, first come first.
class Waiters {
  public:
    void push(Parked* parked) noexcept;
    Parked* pop() noexcept;  // nullptr: none
    [[nodiscard]] const Parked* first() const noexcept { return first_; }
    [[nodiscard]] unsigned count() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    // All of `other`, which is empty then.
    void append(Waiters& other) noexcept;

  private:
    Parked* first_ = nullptr;
    Parked* last_ = nullptr;
    unsigned count_ = 0;
};

// Takes a truncated answer for one: its client came over TCP and can take all of it.
inline bool wants_all(const Parked& parked) {
    return parked.path.kind != ReturnPath::Kind::port && parked.path.max_size == dns::kMaxMessage;
}

struct OutstandingQuery {
    enum class State : std::uint8_t { free, asking, handing_out };

    const Snapshot* snapshot = nullptr;  // of a waiter, which keeps it alive
    Waiters waiters;
    Buffer* answer = nullptr;       // asking: the last resort; handing_out: the result
    std::uint64_t deadline_ms = 0;  // of the whole
    std::uint64_t next_send_ms =
        0;  // when the next upstream is asked; UINT64_MAX: nobody is left to ask
    std::uint32_t hash = 0;
    std::uint32_t attempts = kNone;  // chained by Attempt::next
    std::uint32_t next = kNone;      // in the list of those that are handing out
    MemberMask tried = 0;            // in this round
    MemberMask failed = 0;           // said SERVFAIL or the like: not asked again
    unsigned want_all = 0;           // waiters that want the answer over TCP if it is truncated
    std::uint16_t group = 0;         // of `snapshot`
    std::uint16_t qtype = 0, qclass = 0;
    std::uint8_t qname_len = 0;
    std::uint8_t round = 0;  // over the group
    State state = State::free;
    UpstreamResult end = UpstreamResult::timed_out;  // asking: what a timeout will be called
    bool dnssec_ok = false, checking_disabled = false;
    bool over_tcp = false;
    std::uint8_t sent_in_round = 0;  // queries that the network did not refuse
    std::uint8_t ecs_len = 0, options_len = 0;
    std::uint64_t started_ms = 0;
    std::uint64_t suffix = 0;                    // keyed hash of the name's last two labels
    std::uint64_t choose_at_ms = UINT64_MAX;     // when `answer`, a negative one, is good enough
    std::uint32_t older = kNone, newer = kNone;  // of those that ask, in the order of their start
    std::uint32_t name_key = 0;                  // of name and type
    std::uint8_t near_misses = 0;
    std::uint8_t nxdomain_votes = 0, no_data_votes = 0;  // of upstreams
    bool is_first_half = false;  // of the table: only make_room() ends it before its time
    std::array<std::uint64_t, 4> case_bits{};  // bit i: letter i is sent as a capital (0x20)
    std::array<std::uint8_t, 256> qname;       // lower-cased wire form, then subnet, then options

    // `answer` is an upstream's, which waits for a better one; else it is a failure.
    [[nodiscard]] bool holds_negative() const { return nxdomain_votes + no_data_votes > 0; }
    void forget_votes() {
        nxdomain_votes = no_data_votes = 0;
        choose_at_ms = UINT64_MAX;
    }
    [[nodiscard]] const UpstreamGroup& upstreams() const { return snapshot->groups[group]; }
    [[nodiscard]] const Upstream& member(unsigned i) const {
        return snapshot->upstreams[upstreams().members[i]];
    }
    [[nodiscard]] std::span<const std::uint8_t> name() const { return {qname.data(), qname_len}; }
    [[nodiscard]] std::span<const std::uint8_t> ecs() const {
        return {qname.data() + qname_len, ecs_len};
    }
    [[nodiscard]] std::span<const std::uint8_t> options() const {
        return {qname.data() + qname_len + ecs_len, options_len};
    }
    // The name as it goes out; `room` holds it.
    std::span<const std::uint8_t> name_as_sent(std::array<std::uint8_t, 256>& room) const noexcept;
};

struct Attempt {
    std::uint64_t sent_ms = 0;
    std::uint64_t deadline_ms = 0;
    IpAddress address;  // of the upstream that was asked
    std::uint16_t address_port = 0;
    std::uint16_t upstream = 0;         // Upstream::id
    std::uint32_t outstanding = kNone;  // kNone: free, or left over to be measured
    std::uint32_t next = kNone;
    std::uint32_t serial = 0;  // counts up at each use: a stale token does not match
    std::uint16_t port = 0;    // ours; 0: by kernel socket
    std::uint16_t id = 0;
    std::uint8_t member = 0;  // of the outstanding query's group
    bool edns = false;
    bool measures = false;    // its round trip is the measurement that is due (upstream_choice.h)
    bool late = false;        // its patience is over
    bool downgraded = false;  // after a FORMERR or NOTIMP to EDNS
    bool is_copy = false;     // sent to be measured alone: nobody waits for it
};

static_assert(sizeof(OutstandingQuery) == 424 && sizeof(Attempt) == 64,
              "what forwarder.h says of memory");

// A question as a parked query asks it.
struct Question {
    const Snapshot* snapshot;
    std::uint16_t group;
    std::uint16_t qtype, qclass;
    bool dnssec_ok, checking_disabled;
    std::uint8_t qname_len;
    std::uint8_t ecs_len;
    std::uint8_t options_len = 0;
    bool options_too_long = false;  // they are not asked with
    std::uint32_t hash;
    std::array<std::uint8_t, 256> qname;  // lower-cased, then the client's subnet, then its options

    [[nodiscard]] std::size_t length() const {
        return std::size_t{qname_len} + ecs_len + options_len;
    }
    Question(const Parked& parked, std::uint64_t name_hash) noexcept;

  private:
    void rewrite(const Parked& parked) noexcept;
    void add_options(const Parked& parked) noexcept;
};

class OutstandingQueries {
  public:
    explicit OutstandingQueries(unsigned max_outstanding);

    [[nodiscard]] std::uint32_t find(const Question& question) const noexcept;
    // A new outstanding query that asks; kNone: the table is full. `name_key`: a keyed hash of its name and type.
    std::uint32_t open(const Question& question, std::uint32_t name_key,
                       std::uint64_t now_ms) noexcept;
    // One that asks for this (lower-cased) name and type and has asked this server over UDP; kNone: there is none.
    [[nodiscard]] std::uint32_t find_asking(std::uint32_t name_key,
                                            std::span<const std::uint8_t> name, std::uint16_t qtype,
                                            const IpAddress& server,
                                            std::uint16_t server_port) const noexcept;
    // The one that asks for longest, of the first half of the table or of the rest; kNone: none.
    [[nodiscard]] std::uint32_t oldest(bool of_first_half) const noexcept {
        return ages_[of_first_half ? 1 : 0].oldest;
    }
    // A new outstanding query that hands out: not found by question. kNone: the table is full.
    std::uint32_t open_for_handing_out() noexcept;
    // Ends the asking: not found any more, attempts left.
    void stop_asking(std::uint32_t outstanding) noexcept;
    void close(std::uint32_t outstanding) noexcept;  // handing_out, without waiters

    // kNone: none is left; the outstanding query tries again later.
    std::uint32_t open_attempt(std::uint32_t outstanding, std::uint16_t port,
                               std::uint16_t id) noexcept;
    void close_attempt(std::uint32_t attempt) noexcept;
    // Closes an outstanding query's attempts but for those that measure: they stay, without an outstanding query.
    void leave_attempts(std::uint32_t outstanding) noexcept;
    // A left attempt whose time is over; kNone: none. At most one for each upstream is left.
    [[nodiscard]] std::uint32_t find_left_over(std::uint64_t now_ms) const noexcept;
    [[nodiscard]] bool is_taken(std::uint16_t port, std::uint16_t id) const noexcept {
        return find_attempt(port, id) != kNone;
    }
    [[nodiscard]] std::uint32_t find_attempt(std::uint16_t port, std::uint16_t id) const noexcept;
    // An attempt by kernel socket, by its token; kNone: it is over.
    [[nodiscard]] std::uint32_t find_token(std::uint64_t token) const noexcept;
    [[nodiscard]] std::uint64_t token(std::uint32_t attempt) const noexcept;

    OutstandingQuery& operator[](std::uint32_t outstanding) noexcept {
        return queries_[outstanding];
    }
    Attempt& attempt(std::uint32_t i) noexcept { return attempts_[i]; }
    [[nodiscard]] unsigned capacity() const noexcept {
        return static_cast<unsigned>(queries_.size());
    }
    [[nodiscard]] unsigned count() const noexcept {
        return static_cast<unsigned>(queries_.size() - free_.size());
    }

  private:
    std::vector<OutstandingQuery> queries_;
    std::vector<Attempt> attempts_;  // two for each outstanding query: the first and one more
    std::vector<std::uint32_t> free_, free_attempts_;
    std::uint32_t left_ = kNone;  // attempts without an outstanding query, chained by next
    struct Ages {
        std::uint32_t oldest = kNone, newest = kNone;
        unsigned count = 0;
    };
    void append_to_ages(std::uint32_t outstanding) noexcept;
    void remove_from_ages(std::uint32_t outstanding) noexcept;
    std::array<Ages, 2> ages_;  // [1]: of the first half
    IndexTable by_question_;
    IndexTable by_name_;  // of those that ask: questions that differ in their options are several
    IndexTable by_port_and_id_;
};

}  // namespace steer::forward
