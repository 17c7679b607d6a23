#include "control/streams/quic/query_client.h"

#include <utility>

namespace steer::quic {

std::optional<StreamId> QueryClient::begin(std::uint64_t ask, bool is_possible) {
    const auto stream = is_possible ? control_.open_stream() : std::nullopt;
    if (!stream) {
        taker_.take_reply(ask, AskEnd::again, {}, {});
        return std::nullopt;
    }
    ++asked_;
    ++open_;
    by_ask_.emplace(ask, *stream);
    return stream;
}

void QueryClient::finish(std::uint64_t ask, AskEnd end, std::span<const std::uint8_t> message,
                         const AnswerFacts& facts) {
    if (drop(ask)) taker_.take_reply(ask, end, message, facts);
}

std::optional<StreamId> QueryClient::drop(std::uint64_t ask) {
    const auto known = by_ask_.find(ask);
    if (known == by_ask_.end()) return std::nullopt;
    const StreamId stream = known->second;
    by_ask_.erase(known);
    return stream;
}

void QueryClient::end() {
    for (const auto& [ask, stream] : std::exchange(by_ask_, {}))
        taker_.take_reply(ask, AskEnd::again, {}, {});
}

}  // namespace steer::quic
