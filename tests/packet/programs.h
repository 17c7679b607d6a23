// Snapshots made by hand, for tests of what reads them: each function is one program in the shape
// that the builder gives to a configuration (dataplane/policy/program.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/policy/snapshot.h"

namespace steer::test {

// A snapshot under construction: instructions are appended, parts are numbered from 0 in order of
// adding.
class SnapshotMaker {
  public:
    SnapshotMaker();

    // Each returns its pc. Targets that are not known yet are set by land().
    std::uint16_t add(Op op, std::uint32_t operand = 0, bool short_circuit = false,
                      std::uint8_t instance = 0);
    std::uint16_t test(Op op, std::uint32_t operand = 0, bool negate = false);
    void land(std::uint16_t test);  // where `test` goes on if it does not hold: here

    std::uint32_t cache(std::uint16_t id = 0);
    std::uint32_t list(PolicyList list);
    std::uint32_t upstream(const std::string& address, std::uint16_t id,
                           std::uint32_t timeout_ms = 2000);
    std::uint32_t group(std::vector<std::uint16_t> members, std::uint32_t total_timeout_ms = 5000);
    // A tag mask of one new set with these rules ("domain:stream.example"); match with
    // test(Op::if_tags, ...).
    std::uint32_t domains(const std::vector<std::string>& rules);
    std::uint32_t text(std::string s);
    // Answers every question with this address, or with a response code alone.
    std::uint32_t black_hole(const std::string& address);
    std::uint32_t black_hole(std::uint8_t rcode);
    // Answers A of what one of these rules holds for with this address.
    std::uint32_t answer_table(const std::vector<std::string>& rules, const std::string& address);
    // The same of whole names, in a table that could be replaced while the snapshot is in force.
    std::uint32_t live_answers(const std::vector<std::string>& names, const std::string& address);
    // Each of `names` leads to `target`.
    std::uint32_t redirect(const std::vector<std::string>& names, const std::string& target);
    std::uint32_t reverse(std::uint32_t ttl_s);
    std::uint32_t collector(const std::string& name);
    std::uint32_t learner(LearnDomain learner);
    std::uint32_t task(const std::string& tag);
    std::uint32_t ttl(std::uint32_t least_s, std::uint32_t most_s);
    std::uint32_t mark_mask(std::uint64_t bits);

    [[nodiscard]] Snapshot& snapshot() { return *snapshot_; }
    // Equipped; generation and slot are the publisher's.
    std::unique_ptr<Snapshot> finish();

  private:
    AnswerRef known(const std::vector<std::uint8_t>& response);
    AnswerRef known_address(const std::string& address);

    std::unique_ptr<Snapshot> snapshot_;
    std::vector<std::vector<std::string>> sets_;
};

// An IPv4 and IPv6 list with min 60, max 1800, extra 30, asynchronous.
PolicyList policy_list(ListId id, bool synchronous = false);

// cache (short_circuit) ; [domain:stream.example] list ; forward
std::unique_ptr<Snapshot> cache_list_forward(const PolicyList& list);
// [domain:stream.example] list ; cache (short_circuit) ; forward
std::unique_ptr<Snapshot> list_cache_forward(const PolicyList& list);
// [domain:stream.example] list ; forward
std::unique_ptr<Snapshot> list_forward(const PolicyList& list);
// forward
std::unique_ptr<Snapshot> forward_only();
// cache (short_circuit) ; forward
std::unique_ptr<Snapshot> cache_forward();

}  // namespace steer::test
