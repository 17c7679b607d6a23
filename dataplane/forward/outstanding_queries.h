// A worker's outstanding queries and their attempts: two fixed tables.
//
// An outstanding query is one question to one set of upstreams, with every parked query that waits for it. An
// attempt is one query on the wire for it. Outstanding queries are found by question, attempts by (source
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
#include "matchers/suffix/public_suffixes.h"

namespace steer::forward {

// Parked queries chained by Parked::next_waiter, first come first.
class Waiters {
  public:
    void push(Parked* parked) noexcept;
    Parked* pop() noexcept;  // nullptr: none
    [[nodiscard]] const Parked* first() const noexcept { return first_; }
    [[nodiscard]] unsigned count() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    // Takes all of `other`, which is then empty.
    void append(Waiters& other) noexcept;

  private:
    Parked* first_ = nullptr;
    Parked* last_ = nullptr;
    unsigned count_ = 0;
};

// Needs the complete answer: its client came over TCP.
inline bool wants_all(const Parked& parked) {
    return parked.path.kind != ReturnPath::Kind::port && parked.path.max_size == dns::kMaxMessage;
}

struct OutstandingQuery {
    enum class State : std::uint8_t { free, asking, handing_out };

    const Snapshot* snapshot = nullptr;  // of a waiter, which keeps it alive
    Waiters waiters;
    Buffer* answer = nullptr;       // asking: the last resort; handing_out: the result
    Buffer* trail = nullptr;        // of traced waiters: what upstreams did (policy/trace.h)
    std::uint64_t deadline_ms = 0;  // of the whole
    std::uint64_t next_send_ms =
        0;  // when the next upstream is asked; UINT64_MAX: no upstream is left
    std::uint32_t hash = 0;
    std::uint32_t attempts = kNone;  // chained by Attempt::next
    std::uint32_t next = kNone;      // in the list of those that are handing out
    MemberMask tried = 0;            // in this round
    MemberMask failed = 0;           // answered with SERVFAIL, REFUSED or similar: not asked again
    unsigned want_all = 0;           // waiters that want the answer over TCP if it is truncated
    std::uint16_t group = 0;         // of `snapshot`
    std::uint16_t qtype = 0, qclass = 0;
    std::uint8_t qname_len = 0;
    std::uint8_t round = 0;  // over the group
    State state = State::free;
    UpstreamResult end = UpstreamResult::timed_out;  // asking: the result in case of a timeout
    bool dnssec_ok = false, checking_disabled = false;
    bool over_tcp = false;
    std::uint8_t sent_in_round = 0;  // queries that the network accepted
    std::uint8_t ecs_len = 0, options_len = 0;
    std::uint64_t started_ms = 0;
    matchers::DomainKeys domain;                 // levels of the name that it counts for
    std::uint64_t choose_at_ms = UINT64_MAX;     // when a negative `answer` is accepted
    std::uint32_t older = kNone, newer = kNone;  // of those that ask, in the order of their start
    std::uint32_t name_key = 0;                  // of name and type
    std::uint8_t near_misses = 0;
    std::uint8_t nxdomain_votes = 0, no_data_votes = 0;  // of upstreams
    bool is_first_half = false;                // of the table: only make_room() ends it early
    std::array<std::uint64_t, 4> case_bits{};  // bit i: letter i is sent as a capital (0x20)
    std::array<std::uint8_t, 256> qname;       // lower-cased wire form, then subnet, then options

    // True: `answer` is an upstream's and waits for a better one; false: it is a failure.
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
    // The name as sent; written into `room`.
    std::span<const std::uint8_t> name_as_sent(std::array<std::uint8_t, 256>& room) const noexcept;
};

struct Attempt {
    std::uint64_t sent_ms = 0;
    std::uint64_t deadline_ms = 0;
    IpAddress address;  // of the upstream that was asked
    std::uint16_t address_port = 0;
    std::uint16_t upstream = 0;         // Upstream::id
    std::uint32_t outstanding = kNone;  // kNone: free, or kept only for its measurement
    std::uint32_t next = kNone;
    std::uint32_t serial = 0;  // counts up at each use: a stale token does not match
    std::uint16_t port = 0;    // ours; 0: by kernel socket
    std::uint16_t id = 0;
    std::uint8_t member = 0;  // of the outstanding query's group
    bool edns = false;
    bool measures = false;  // its round trip is the due measurement (upstream_choice.h)
    bool late = false;      // waited longer than its patience
    bool is_copy = false;   // sent only as a measurement
};

static_assert(sizeof(OutstandingQuery) == 456 && sizeof(Attempt) == 64,
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
    bool options_too_long = false;  // they are not sent
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
    // A new asking query; kNone: the table is full. `name_key`: a keyed hash of its name and type.
    std::uint32_t open(const Question& question, std::uint32_t name_key,
                       std::uint64_t now_ms) noexcept;
    // A query for this (lower-cased) name and type that asked this server over UDP; kNone: there is none.
    [[nodiscard]] std::uint32_t find_asking(std::uint32_t name_key,
                                            std::span<const std::uint8_t> name, std::uint16_t qtype,
                                            const IpAddress& server,
                                            std::uint16_t server_port) const noexcept;
    // The oldest asking query, in the first half of the table or in the rest; kNone: none.
    [[nodiscard]] std::uint32_t oldest(bool of_first_half) const noexcept {
        return ages_[of_first_half ? 1 : 0].oldest;
    }
    // A new query that hands out, not found by question. kNone: the table is full.
    std::uint32_t open_for_handing_out() noexcept;
    // Ends asking: the query is no longer found; its attempts stay.
    void stop_asking(std::uint32_t outstanding) noexcept;
    void close(std::uint32_t outstanding) noexcept;  // handing_out, without waiters

    // kNone: no free record; the outstanding query tries again later.
    std::uint32_t open_attempt(std::uint32_t outstanding, std::uint16_t port,
                               std::uint16_t id) noexcept;
    void close_attempt(std::uint32_t attempt) noexcept;
    // Closes the attempts of an outstanding query, except those that measure: they stay without one.
    void leave_attempts(std::uint32_t outstanding) noexcept;
    // A left attempt that timed out; kNone: none. There is at most one per upstream.
    [[nodiscard]] std::uint32_t find_left_over(std::uint64_t now_ms) const noexcept;
    [[nodiscard]] bool is_taken(std::uint16_t port, std::uint16_t id) const noexcept {
        return find_attempt(port, id) != kNone;
    }
    [[nodiscard]] std::uint32_t find_attempt(std::uint16_t port, std::uint16_t id) const noexcept;
    // An attempt over a kernel socket, by its token; kNone: it is over.
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
    IndexTable by_name_;  // asking queries; queries with different options have several entries
    IndexTable by_port_and_id_;
};

}  // namespace steer::forward
