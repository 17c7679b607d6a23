// A client's HTTP/1.1 connection (RFC 9112), parsed by Beast from memory.
//
// One request is in progress at a time. Pipelined requests (RFC 9112 9.3.2) are buffered, and
// wants_input() is false until the answer is sent. The connection stays open for the next request,
// unless the client requests otherwise, or a request was rejected before it was complete.
//
// Limits: a head of kMaxHttpHead, a query of kMaxHttpQuery bytes, kHttpRequestMs for a request from
// its first byte (408).
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <optional>

#include "control/streams/http/http_session.h"

namespace steer::stream {

class Http1Session final : public HttpSession {
  public:
    // The three arguments must outlive the session.
    Http1Session(const HttpSite& site, HttpQueryTaker& taker, StreamCounters& counters)
        : site_(site), taker_(taker), counters_(counters) {}

    void receive(std::span<const std::uint8_t> bytes, std::uint64_t now_ms) override;
    [[nodiscard]] bool wants_input() const override {
        return !answering_ && !ending_ && out_.empty();
    }
    bool answer(std::uint32_t stream, HttpStatus status,
                std::span<const std::uint8_t> response) override;
    std::span<const std::uint8_t> next_output() override;
    [[nodiscard]] std::size_t unsent() const override { return out_.size(); }
    [[nodiscard]] std::size_t held_bytes() const override;
    void shut_down() override { ending_ = true; }
    void send_away() override {
        is_sent_away_ = true;
        keep_alive_ = false;
    }
    [[nodiscard]] bool is_over() const override { return ending_ && out_.empty(); }

  private:
    using Parser =
        boost::beast::http::request_parser<boost::beast::http::vector_body<std::uint8_t>>;

    void go_on();
    void begin();
    bool parse();    // parses in_; false: more bytes needed, or the request was rejected
    bool on_head();  // false: rejected
    void on_complete();
    [[nodiscard]] HttpHead head_of() const;
    void refuse(const HttpRefusal& refusal, bool close);
    void write(HttpStatus status, std::span<const std::uint8_t> content, AnswerForm form);

    const HttpSite& site_;
    HttpQueryTaker& taker_;
    StreamCounters& counters_;
    std::vector<std::uint8_t> in_;     // not parsed yet
    std::unique_ptr<Parser> parser_;   // of the request being received; nullptr: none
    std::optional<HttpQuery> query_;   // of that request, after its head
    std::vector<std::uint8_t> out_;    // to be sent
    std::vector<std::uint8_t> taken_;  // the last result of next_output()
    std::uint64_t now_ms_ = 0, began_ms_ = 0;
    std::uint32_t serial_ = 0;  // of the last request passed to the taker
    HttpMethod method_ = HttpMethod::other;
    AnswerForm form_ = AnswerForm::message;  // of the request that waits
    bool answering_ = false;                 // the request waits for its answer
    bool keep_alive_ = true;
    bool is_sent_away_ = false;
    bool ending_ = false;  // ends after out_ is sent
};

}  // namespace steer::stream
