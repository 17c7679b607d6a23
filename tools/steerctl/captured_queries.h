// Clients' queries of a capture with their answers, equal ones counted as one, as `records` of
// configuration.replay.
//
// Left out, and counted: everything but whole queries over UDP port 53, and queries from addresses
// that also receive queries, because those are a resolver's queries to its upstreams.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "captured_frame.h"

namespace steerctl {

inline constexpr std::size_t kMostCaptured = 1'000'000;  // different queries that are counted
inline constexpr std::size_t kMostSent = 100'000;        // different queries of one replay
inline constexpr std::size_t kMostAwaited = 100'000;     // queries whose answer may still come

struct CapturedQuery {
    std::vector<std::uint8_t> name;  // wire form, in lower case
    std::uint16_t type = 0, klass = 0;
    boost::asio::ip::address client, server;
    std::uint64_t queries = 0;
    // The last complete answer: its code (NOERROR or NXDOMAIN), and the records of its answer
    // section as words: targets of CNAME records, addresses, and TYPE with a number (RFC 3597) for
    // others.
    std::optional<std::uint16_t> rcode;
    std::string answers;
};

struct CaptureCounts {
    std::uint64_t frames = 0;
    std::uint64_t queries = 0;    // of clients
    std::uint64_t answered = 0;   // those with an answer in the file
    std::uint64_t servers = 0;    // queries from addresses that receive queries
    std::uint64_t tcp = 0;        // segments
    std::uint64_t fragments = 0;  // of UDP
    std::uint64_t cut = 0;        // frames and queries
    std::uint64_t malformed = 0;  // messages
    std::uint64_t surplus = 0;    // queries beyond kMostCaptured
};

class CapturedQueries {
  public:
    void add(LinkType link, std::span<const std::uint8_t> frame);
    // Returns the most frequent queries first, without those of servers, which are counted now.
    // Call it at the end.
    std::vector<CapturedQuery> take();
    [[nodiscard]] const CaptureCounts& counts() const { return counts_; }

  private:
    using AwaitedByKey = boost::unordered_flat_map<std::string, std::size_t>;

    void add_query(const CapturedDatagram& datagram);
    void add_answer(const CapturedDatagram& datagram);
    void await(std::string key, std::size_t query);
    std::optional<std::size_t> find_awaited(const std::string& key);

    CaptureCounts counts_;
    std::vector<CapturedQuery> queries_;
    std::vector<std::uint64_t> answered_;  // for each of queries_
    boost::unordered_flat_map<std::string, std::size_t> places_;
    boost::unordered_flat_set<std::string> servers_;
    // Two generations: a full one becomes the old one, and the previous old one is dropped.
    AwaitedByKey awaited_, awaited_before_;
};

// "QUERIES CLIENT SERVER TYPE CLASS NAME [RCODE [WORD…]]"
std::string line_of(const CapturedQuery& query);

struct Records {
    std::string lines;  // each with its newline
    std::uint64_t omitted_queries = 0, omitted_distinct = 0;
};
// Returns the first kMostSent of them, as far as they fit into `room` bytes of JSON.
Records records_of(std::span<const CapturedQuery> queries, std::size_t room);

}  // namespace steerctl
