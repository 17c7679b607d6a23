#include "control/streams/quic/query_client.h"

#include <utility>

namespace steer::quic {

std::optional<StreamId> QueryClient::begin(std::uint64_t ask, bool is_possible) {
    const auto stream = is_possible ? control_.open_stream() : std::nullopt;
    if (!stream) {
        taker_.take_reply(ask, AskEnd::unprocessed, {}, {});
        return std::nullopt;
    }
    ++asked_;
    ++open_;
    by_ask_.emplace(ask, Asked{*stream});
    return stream;
}

void QueryClient::finish(std::uint64_t ask, AskEnd end, std::span<const std::uint8_t> message,
                         const AnswerFacts& facts) {
    if (drop(ask)) taker_.take_reply(ask, end, message, facts);
}

std::optional<StreamId> QueryClient::drop(std::uint64_t ask) {
    const auto known = by_ask_.find(ask);
    if (known == by_ask_.end()) return std::nullopt;
    const StreamId stream = known->second.stream;
    by_ask_.erase(known);
    return stream;
}

void QueryClient::note_sent(std::uint64_t ask) {
    const auto known = by_ask_.find(ask);
    if (known != by_ask_.end()) known->second.is_sent = true;
}

void QueryClient::end(bool was_refused) {
    for (const auto& [ask, asked] : std::exchange(by_ask_, {})) {
        const bool is_lost = asked.is_sent && !was_refused;
        taker_.take_reply(ask, is_lost ? AskEnd::lost : AskEnd::unprocessed, {}, {});
    }
}

}  // namespace steer::quic
