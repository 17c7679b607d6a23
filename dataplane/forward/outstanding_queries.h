// A worker's outstanding queries and their attempts: two fixed tables.
//
// An outstanding query is one question to one set of upstreams, with every parked query that waits
// for it. An attempt is one query on the wire for it. Outstanding queries are found by question,
// attempts by (source port, id), which is unique among attempts in flight. Records are reused;
// nothing is allocated after construction. For one thread.
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

// Parked queries chained by Parked::next_waiter, first in, first out.
class Waiters {
  public:
    void push(Parked* parked) noexcept;
    Parked* pop() noexcept;  // nullptr if there is none
    [[nodiscard]] const Parked* first() const noexcept { return first_; }
    [[nodiscard]] unsigned count() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    // Moves all waiters of `other` here.
    void append(Waiters& other) noexcept;

  private:
    Parked* first_ = nullptr;
    Parked* last_ = nullptr;
    unsigned count_ = 0;
};

// Whether the query needs the complete answer, because its client used TCP.
inline bool wants_all(const Parked& parked) {
    return parked.path.kind != ReturnPath::Kind::port && parked.path.max_size == dns::kMaxMessage;
}

struct OutstandingQuery {
    enum class State : std::uint8_t { free, requesting, delivering };

    const Snapshot* snapshot = nullptr;  // a waiter's; the waiter keeps it alive
    Waiters waiters;
    Buffer* answer = nullptr;       // asking: answer of last resort; delivering: the result
    Buffer* trail = nullptr;        // of traced waiters: what upstreams did (policy/trace.h)
    std::uint64_t deadline_ms = 0;  // of the outstanding query as a whole
    std::uint64_t next_send_ms =
        0;  // time of the next upstream's query; UINT64_MAX: no upstream is left
    std::uint32_t hash = 0;
    std::uint32_t attempts = kNone;  // chained by Attempt::next
    std::uint32_t next = kNone;      // in the list of queries that are handing out
    MemberMask tried = 0;            // members with a query in this round
    MemberMask failed = 0;           // sent SERVFAIL, REFUSED or similar: gets no further query
    unsigned want_all = 0;           // waiters that want the answer over TCP if it is truncated
    std::uint16_t group = 0;         // index in `snapshot`
    std::uint16_t qtype = 0, qclass = 0;
    std::uint8_t qname_len = 0;
    std::uint8_t round = 0;  // number of passes over the group
    State state = State::free;
    UpstreamResult end = UpstreamResult::timed_out;  // requesting: the result in case of a timeout
    bool dnssec_ok = false, checking_disabled = false;
    bool over_tcp = false;
    std::uint8_t sent_in_round = 0;  // queries that the network accepted
    std::uint8_t ecs_len = 0, options_len = 0;
    std::uint64_t started_ms = 0;
    matchers::DomainKeys domain;               // levels of the name with a count
    std::uint64_t choose_at_ms = UINT64_MAX;   // time at which a negative `answer` is accepted
    std::uint64_t returns_at_ms = UINT64_MAX;  // time of the next check of returned ones
    std::uint32_t older = kNone,
                  newer = kNone;  // list of requesting queries, in order of their start
    std::uint32_t name_key = 0;   // hash of name and type
    // Members whose address the question had when it returned, and those tested (loop_tests.h).
    MemberMask returned = 0, tested = 0;
    std::uint8_t near_misses = 0;
    std::uint8_t nxdomain_votes = 0, no_data_votes = 0;  // of the upstreams
    bool is_first_half : 1 = false;            // half of the table: only make_room() ends it early
    bool has_other_failure : 1 = false;        // than kUpstreamDropsQuery, of an upstream
    std::array<std::uint64_t, 4> case_bits{};  // bit i: letter i is sent as a capital (0x20)
    std::array<std::uint8_t, 256> qname;       // lower-cased wire form, then subnet, then options

    // True: `answer` is an upstream's negative answer that may be replaced. False: it is a failure.
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
    // The name in the case that is sent; written into `room`.
    std::span<const std::uint8_t> name_as_sent(std::array<std::uint8_t, 256>& room) const noexcept;
};

struct Attempt {
    std::uint64_t sent_ms = 0;
    std::uint64_t deadline_ms = 0;
    IpAddress address;  // of the upstream
    std::uint16_t address_port = 0;
    std::uint16_t upstream = 0;         // Upstream::id
    std::uint32_t outstanding = kNone;  // kNone: free, or kept only for its measurement
    std::uint32_t next = kNone;
    std::uint32_t serial = 0;  // incremented at each use: an old token does not match
    std::uint16_t port = 0;    // our port; 0: by kernel socket
    std::uint16_t id = 0;
    std::uint8_t member = 0;  // index in the outstanding query's group
    bool edns = false;
    bool measures = false;     // its round trip is the due measurement (upstream_choice.h)
    bool late = false;         // waited longer than its patience
    bool is_copy = false;      // sent only as a measurement
    std::uint8_t cookies = 0;  // 0: sent without a cookie; 1: with one; 2: repeated with a new one
    bool random_case = false;  // of the name that was sent
    std::uint16_t test = 0;    // number of a loop test's question (loop_tests.h); 0: none
};

static_assert(sizeof(OutstandingQuery) == 472 && sizeof(Attempt) == 64,
              "what forwarder.h says of memory");

// The question of a parked query.
struct Question {
    const Snapshot* snapshot;
    std::uint16_t group;
    std::uint16_t qtype, qclass;
    bool dnssec_ok, checking_disabled;
    std::uint8_t qname_len;
    std::uint8_t ecs_len;
    std::uint8_t options_len = 0;
    bool options_too_long = false;  // they do not fit and are not sent
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
    // Opens an requesting query. Returns kNone if the table is full. `name_key`: a keyed hash of its
    // name and type.
    std::uint32_t open(const Question& question, std::uint32_t name_key,
                       std::uint64_t now_ms) noexcept;
    // The queries for this (lower-cased) name and type that were sent to this server over UDP, as
    // many as `out` holds. Returns their number.
    [[nodiscard]] unsigned find_requesting(std::uint32_t name_key,
                                           std::span<const std::uint8_t> name, std::uint16_t qtype,
                                           const IpAddress& server, std::uint16_t server_port,
                                           std::span<std::uint32_t> out) const noexcept;
    // The number of requesting queries with the name and type of this one, itself included; stops
    // at `most`.
    [[nodiscard]] unsigned variants(std::uint32_t outstanding, unsigned most) const noexcept;
    // The oldest requesting query, in the first half of the table or in the rest; kNone if there is
    // none.
    [[nodiscard]] std::uint32_t oldest(bool of_first_half) const noexcept {
        return ages_[of_first_half ? 1 : 0].oldest;
    }
    // Opens a query that is handing out and is not found by question. Returns kNone if the table is
    // full.
    std::uint32_t open_delivering() noexcept;
    // Ends the asking state: the query is no longer found by question; its attempts stay.
    void stop_requesting(std::uint32_t outstanding) noexcept;
    void close(std::uint32_t outstanding) noexcept;  // delivering, without waiters

    // Opens an attempt. Returns kNone if no record is free, or none for a second attempt; the
    // outstanding query then tries again later. `outstanding` is kNone, and `test` is not 0: of a
    // loop test, which closes it.
    std::uint32_t open_attempt(std::uint32_t outstanding, std::uint16_t port, std::uint16_t id,
                               std::uint16_t test = 0) noexcept;
    void close_attempt(std::uint32_t attempt) noexcept;
    // Closes the attempts of an outstanding query. Attempts that measure stay, without an
    // outstanding query.
    void leave_attempts(std::uint32_t outstanding) noexcept;
    // An attempt without an outstanding query that timed out; kNone if there is none. At most one
    // per upstream.
    [[nodiscard]] std::uint32_t find_left_over(std::uint64_t now_ms) const noexcept;
    [[nodiscard]] bool is_taken(std::uint16_t port, std::uint16_t id) const noexcept {
        return find_attempt(port, id) != kNone;
    }
    [[nodiscard]] std::uint32_t find_attempt(std::uint16_t port, std::uint16_t id) const noexcept;
    // The attempt with this token, over a kernel socket; kNone if it has ended.
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
    std::array<Ages, 2> ages_;  // [1]: in the first half
    IndexTable by_question_;
    IndexTable by_name_;  // requesting queries; queries with different options have several entries
    IndexTable by_port_and_id_;
};

}  // namespace steer::forward
