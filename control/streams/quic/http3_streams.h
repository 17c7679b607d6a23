// DNS over HTTP/3 (RFC 8484, 9114) on a client's connection, with the paths, methods, limits and
// answers of our other sessions of HTTP (control/streams/http).
//
// A head and a query of each incomplete request, and answers that the client has not acknowledged, are
// charged to the connection's account.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "control/streams/http/doh_request.h"
#include "control/streams/quic/client_streams.h"
#include "control/streams/quic/http3.h"
#include "control/streams/quic/quic_service.h"

namespace steer::quic {

class Http3Streams final : public ClientStreams, private Http3::Events {
  public:
    // Bytes of a request's stream: a head, a query, and the frames around them.
    static constexpr std::size_t kStreamBytes = stream::kMaxHttpHead + stream::kMaxHttpQuery + 1024;

    // nullptr: the client does not let us open streams.
    static std::unique_ptr<Http3Streams> make(ServerControl& control, Taker taker,
                                              std::shared_ptr<const QuicService> service);

    ~Http3Streams() override;

    static constexpr std::uint64_t code_of(CloseReason reason) {
        switch (reason) {
            case CloseReason::no_error:
                return quic::code_of(Http3Error::no_error);
            case CloseReason::protocol_error:
                return quic::code_of(Http3Error::general_protocol_error);
            case CloseReason::excessive_load:
                break;
        }
        return quic::code_of(Http3Error::excessive_load);
    }

    bool answer(StreamId stream, QueryEnd end, std::span<const std::uint8_t> response) override;
    unsigned expire(std::uint64_t now_ms) override;
    void send_away() override;

    Failure opened(StreamId stream) override;
    Failure receive(StreamId stream, std::span<const std::uint8_t> bytes, bool is_end) override;
    Failure cancelled(StreamId stream, std::uint64_t code) override;
    Failure closed(StreamId stream) override;
    std::optional<Output> next_output() override { return http_->next_output(); }
    void sent(StreamId stream, std::size_t bytes) override { http_->sent(stream, bytes); }
    void blocked(StreamId stream) override { http_->blocked(stream); }
    void unblocked(StreamId stream) override { http_->unblocked(stream); }
    void acknowledged(StreamId stream, std::uint64_t bytes) override;
    void shut(StreamId stream) override { http_->shut(stream); }

    [[nodiscard]] bool is_idle() const override { return requests_.empty(); }
    [[nodiscard]] std::optional<std::uint64_t> incomplete_since_ms() const override;

  private:
    struct Request {
        stream::HttpHead head;
        std::size_t head_bytes = 0;
        std::size_t charged = 0;  // to the account
        std::uint64_t begun_ms = 0;
        std::uint16_t path = 0;
        stream::AnswerForm form = stream::AnswerForm::message;
        bool has_head = false, is_whole = false, is_answered = false, is_given_up = false;
        std::vector<std::uint8_t> in, out;  // content
        std::size_t acknowledged = 0;       // of `out`
    };

    Http3Streams(ServerControl& control, Taker taker, std::shared_ptr<const QuicService> service)
        : ClientStreams(control, std::move(taker)), service_(std::move(service)) {}

    // Http3::Events
    void on_field(StreamId id, const Http3Field& field) override;
    void on_head(StreamId id) override;
    void on_content(StreamId id, std::span<const std::uint8_t> bytes) override;
    void on_end(StreamId id) override;
    void on_malformed(StreamId id, std::uint64_t code) override;
    void on_acknowledged(StreamId id, std::size_t bytes) override;
    void on_closed(StreamId id) override;
    std::span<const std::uint8_t> content_of(StreamId id) override;

    void refuse(StreamId id, Request& request, const stream::HttpRefusal& why);
    void respond(StreamId id, Request& request, stream::HttpStatus status,
                 std::span<const std::uint8_t> content);
    void charge(Request& request);
    void drop_input(Request& request);
    Failure note_cancelled();

    std::shared_ptr<const QuicService> service_;
    std::unique_ptr<Http3> http_;
    std::map<StreamId, Request> requests_;
};

}  // namespace steer::quic
