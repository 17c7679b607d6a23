// DNS over QUIC (RFC 9250) on a connection to an upstream: a stream for each query, with one message
// behind its length in each direction, and the id 0.
//
// What breaks the RFC's rules closes the connection with DOQ_PROTOCOL_ERROR: a message with another
// id, a second message, or one that is shorter or longer than its length. Whether a message answers
// the question is the daemon's to judge. What its streams keep is charged to the connection's account.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "control/streams/quic/query_client.h"
#include "control/streams/quic/send_queue.h"

namespace steer::quic {

class DoqClient final : public QueryClient {
  public:
    DoqClient(ClientControl& control, ReplyTaker& taker) : QueryClient(control, taker) {}
    ~DoqClient() override;

    void ask(std::uint64_t ask, std::span<const std::uint8_t> message) override;
    void cancel(std::uint64_t ask) override;

    Failure opened(StreamId stream) override;
    Failure receive(StreamId stream, std::span<const std::uint8_t> bytes, bool is_end) override;
    Failure cancelled(StreamId stream, std::uint64_t code) override;
    Failure closed(StreamId stream) override;
    std::optional<Output> next_output() override;
    void sent(StreamId stream, std::size_t bytes) override;
    void blocked(StreamId stream) override;
    void unblocked(StreamId stream) override;
    void acknowledged(StreamId stream, std::uint64_t bytes) override;
    void shut(StreamId stream) override;

  private:
    struct Stream : Outgoing {
        std::uint64_t ask = 0;
        std::vector<std::uint8_t> in;
        std::size_t charged = 0;  // to the account
    };
    Outgoing* outgoing(StreamId id);
    void charge(Stream& stream);

    std::map<StreamId, Stream> streams_;
    SendQueue to_send_;
};

}  // namespace steer::quic
