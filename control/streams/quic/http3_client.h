// DNS over HTTP/3 (RFC 8484, 9114) on a connection to an upstream: a POST for each query, with the
// id 0.
//
// An upstream that breaks the rules of HTTP/3 is closed with the error code of RFC 9114. A response
// without a DNS message ends its ask alone. The daemon judges whether a message answers the question.
// What its requests keep is charged to the connection's account.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/streams/http/doh_reply.h"
#include "control/streams/quic/http3.h"
#include "control/streams/quic/query_client.h"

namespace steer::quic {

class Http3Client final : public QueryClient, private Http3::Events {
  public:
    static constexpr std::size_t kMostHead = 16 * 1024;  // bytes of a response's head
    // Bytes of a response's stream: its head, the longest message, and the frames around them.
    static constexpr std::size_t kStreamBytes = kMostHead + stream::kMaxHttpContent + 1024;

    // nullptr: the upstream does not let us open the streams that HTTP/3 needs.
    static std::unique_ptr<Http3Client> make(ClientControl& control, ReplyTaker& taker,
                                             const stream::DohTarget& target);

    ~Http3Client() override;

    void ask(std::uint64_t ask, std::span<const std::uint8_t> message) override;
    void cancel(std::uint64_t ask) override;
    [[nodiscard]] bool takes_asks() const override { return !is_away_; }

    Failure opened(StreamId stream) override;
    Failure receive(StreamId stream, std::span<const std::uint8_t> bytes, bool is_end) override;
    Failure cancelled(StreamId stream, std::uint64_t code) override;
    Failure closed(StreamId stream) override { return http_->close(stream); }
    std::optional<Output> next_output() override;
    void sent(StreamId stream, std::size_t bytes) override;
    void blocked(StreamId stream) override { http_->blocked(stream); }
    void unblocked(StreamId stream) override { http_->unblocked(stream); }
    void acknowledged(StreamId stream, std::uint64_t bytes) override;
    void shut(StreamId stream) override { http_->shut(stream); }

  private:
    struct Request {
        std::uint64_t ask = 0;
        std::vector<std::uint8_t> out;  // the query
        stream::HttpResponseHead head;
        std::size_t head_bytes = 0;
        std::vector<std::uint8_t> in;
        std::size_t charged = 0;  // to the account
    };

    Http3Client(ClientControl& control, ReplyTaker& taker, const stream::DohTarget& target)
        : QueryClient(control, taker), target_(target) {}

    // Http3::Events
    void on_begun(StreamId id) override;
    void on_field(StreamId id, const Http3Field& field) override;
    void on_content(StreamId id, std::span<const std::uint8_t> bytes) override;
    void on_end(StreamId id) override;
    void on_malformed(StreamId id, std::uint64_t code) override;
    void on_closed(StreamId id) override;
    std::span<const std::uint8_t> content_of(StreamId id) override;
    void on_away(StreamId first_refused) override;

    // Whose ask has not ended; nullptr: none.
    Request* open_request(StreamId id);
    void give_up(StreamId id, Request& request);
    void charge(Request& request);

    const stream::DohTarget target_;
    std::unique_ptr<Http3> http_;
    std::map<StreamId, Request> requests_;
    StreamId ending_ = -1;          // stream whose last output is its end; -1: it is not
    std::size_t ending_bytes_ = 0;  // of that output
    bool is_away_ = false;
};

}  // namespace steer::quic
