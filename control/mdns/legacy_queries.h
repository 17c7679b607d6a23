// Legacy queriers (one-shot queries from another port, RFC 6762 5.1, 6.7) do not listen to the
// group. Answers from other links are sent to them directly, as a DNS server would.
//
// The question is repeated as an ordinary one, from port 5353, so that responders answer to the
// group. For kPatienceMs, answers on other links also go to the querier. TTLs are at most 10 s, and
// no record has the cache-flush bit (6.7). Bounded: kMax queries at a time, kMaxReplies to each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/mdns/message.h"
#include "matchers/prefix/ip_address.h"

namespace steer::mdns {

struct LegacyQuerier {
    int if_index = 0;
    IpAddress address;
    std::uint16_t port = 0;
    auto operator<=>(const LegacyQuerier&) const = default;
};

class LegacyQueries {
  public:
    static constexpr std::size_t kMax = 64, kMaxOfAsker = 8;
    static constexpr unsigned kMaxReplies = 8;
    static constexpr std::uint64_t kPatienceMs = 3000;
    static constexpr std::size_t kReplyBytes = 1232;      // RFC 9715
    static constexpr std::size_t kPlainReplyBytes = 512;  // for records that were not requested
    static constexpr std::uint32_t kMaxTtlS = 10;

    // `query`: has one question, as repeated. Returns false if too many queries wait.
    bool remember(const LegacyQuerier& querier, const Message& query, std::uint64_t now_ms);

    using Send = std::function<void(const LegacyQuerier&, std::span<const std::uint8_t>)>;
    // Handles a `response` from the link `if_index` that is repeated. Calls `send` for each querier
    // on another link that it answers.
    void answer(const Message& response, int if_index, std::uint64_t now_ms, const Send& send);

    [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  private:
    struct Waiting {
        LegacyQuerier querier;
        std::uint16_t id = 0;
        Question question;
        std::uint64_t since_ms = 0;
        unsigned replies = 0;
    };
    void forget_old(std::uint64_t now_ms);

    std::vector<Waiting> waiting_;
};

}  // namespace steer::mdns
