// DNS over QUIC (RFC 9250) on a client's connection: a stream for each query, with one message
// behind its length in each direction.
//
// A query is passed on once its stream has ended. Incomplete queries, and answers that the client has
// not acknowledged, are charged to the connection's account.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "control/streams/quic/client_streams.h"
#include "control/streams/quic/doq_message.h"
#include "control/streams/quic/send_queue.h"

namespace steer::quic {

class DoqStreams final : public ClientStreams {
  public:
    using ClientStreams::ClientStreams;
    ~DoqStreams() override;

    static constexpr std::uint64_t code_of(CloseReason reason) {
        switch (reason) {
            case CloseReason::no_error:
                return quic::code_of(DoqError::no_error);
            case CloseReason::protocol_error:
                return quic::code_of(DoqError::protocol_error);
            case CloseReason::excessive_load:
                break;
        }
        return quic::code_of(DoqError::excessive_load);
    }

    bool answer(StreamId stream, QueryEnd end, std::span<const std::uint8_t> response) override;
    unsigned expire(std::uint64_t now_ms) override;
    void send_away() override {}  // RFC 9250 has no message for it

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

    [[nodiscard]] bool is_idle() const override { return streams_.empty(); }
    [[nodiscard]] std::optional<std::uint64_t> incomplete_since_ms() const override;

  private:
    struct Stream : Outgoing {
        std::vector<std::uint8_t> in;  // until the query is passed on
        std::uint64_t begun_ms = 0;
        bool is_whole = false;  // was passed on
        std::size_t acknowledged = 0;
        std::size_t charged = 0;  // to the account
    };
    using Streams = std::map<StreamId, Stream>;
    Streams::iterator find(StreamId id);
    Outgoing* outgoing(StreamId id);
    void charge(Stream& stream);
    void drop_output(Stream& stream);
    void reset(StreamId id, Stream& stream, DoqError code);
    Failure note_cancelled();

    Streams streams_;
    Streams::iterator last_ = streams_.end();  // found or begun
    SendQueue to_send_;
};

}  // namespace steer::quic
