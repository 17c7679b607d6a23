// Compares replies with the queries of a pcap and with the addresses that their names have, without any code of the
// product. Not timed: it allocates as it likes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "support/udp_frame.h"

namespace steer::bench {

inline constexpr unsigned kCompareEach = 64;

using Bytes = std::vector<std::uint8_t>;

// The frames of a pcap; fails if there is none.
std::vector<Bytes> read_pcap(const std::string& file);

// Wire form of a name.
std::string wire_of(const std::string& name);
// Wire form of names to their addresses, in the order of their numbers.
using Answers = std::unordered_map<std::string, std::vector<std::uint32_t>>;

class AnswerCheck {
  public:
    // Without answers, a reply is its query's payload (testpmd's 5tswap). `ttl_s`: of the records upstream.
    AnswerCheck(std::span<const Bytes> queries, Answers answers, std::uint32_t ttl_s);

    // Empty: it answers one of the queries, right in every header, the question and the records, with a TTL that is
    // not above the upstream's nor above the last one of this name (except as far as a row allows). For a name without answers,
    // only headers and question are compared.
    const std::string& why_wrong(std::span<const std::uint8_t> frame);

  private:
    [[nodiscard]] const test::UdpFrame* query_of(const test::UdpFrame& reply) const;
    void compare(const test::UdpFrame& query, const test::UdpFrame& reply);

    std::vector<test::UdpFrame> queries_;
    std::unordered_map<std::uint64_t, std::size_t> places_;  // in queries_
    Answers answers_;
    const std::uint32_t ttl_s_;
    std::unordered_map<std::string, std::uint32_t> last_ttl_;
    std::string wrong_;
};

}  // namespace steer::bench
