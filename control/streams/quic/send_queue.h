// What streams of DNS over QUIC send: one message each, which is known as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "control/streams/quic/application.h"

namespace steer::quic {

struct Outgoing {
    std::vector<std::uint8_t> out;  // stays until it is acknowledged, or the stream closed
    std::size_t sent = 0;
    bool is_end_sent = false, is_blocked = false;
    bool is_shut = false;    // no more of it is sent
    bool is_queued = false;  // in the queue

    void note_sent(std::size_t bytes) {
        sent += bytes;
        is_end_sent = sent == out.size();
    }
};

// The streams with something to send, in the order in which they got it.
class SendQueue {
  public:
    void add(StreamId id, Outgoing& stream) {
        if (!std::exchange(stream.is_queued, true)) ready_.push_back(id);
    }
    void unblock(StreamId id, Outgoing& stream) {
        if (std::exchange(stream.is_blocked, false)) add(id, stream);
    }
    // `find`: the Outgoing of a stream; nullptr: it is closed.
    template <class Find>
    std::optional<Application::Output> next(Find find) {
        while (!ready_.empty()) {
            const StreamId id = ready_.front();
            Outgoing* const stream = find(id);
            if (stream != nullptr && !stream->is_shut && !stream->is_blocked &&
                !stream->is_end_sent)
                return Application::Output{id, std::span(stream->out).subspan(stream->sent), true};
            ready_.pop_front();
            if (stream != nullptr) stream->is_queued = false;
        }
        return std::nullopt;
    }

  private:
    std::deque<StreamId> ready_;
};

}  // namespace steer::quic
