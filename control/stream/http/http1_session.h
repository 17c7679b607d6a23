// A client's HTTP/1.1 connection (RFC 9112), read by Beast's parser out of memory.
//
// One request is in progress at a time: what a client pipelines behind it (RFC 9112 9.3.2) is kept, and
// wants_input() is false until the answer is out. The connection stays open for the next one unless the
// client asks otherwise, or a request was refused before all of it was there.
//
// Limits: a head of kMaxHttpHead, a query of kMaxHttpQuery bytes, kHttpRequestMs for a request from its
// first byte on (408).
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <optional>

#include "control/stream/http/http_session.h"

namespace steer::stream {

class Http1Session final : public HttpSession {
  public:
    // The three outlive the session.
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
    void shut_down() override { ending_ = true; }
    [[nodiscard]] bool is_over() const override { return ending_ && out_.empty(); }

  private:
    using Parser =
        boost::beast::http::request_parser<boost::beast::http::vector_body<std::uint8_t>>;

    void go_on();
    void begin();
    bool parse();    // some of in_; false: more is needed, or the request was refused
    bool on_head();  // false: refused
    void on_complete();
    [[nodiscard]] HttpHead head_of() const;
    void refuse(HttpStatus status, bool close);
    void write(HttpStatus status, std::span<const std::uint8_t> content);

    const HttpSite& site_;
    HttpQueryTaker& taker_;
    StreamCounters& counters_;
    std::vector<std::uint8_t> in_;     // not parsed yet
    std::unique_ptr<Parser> parser_;   // of the request that is coming; nullptr: none is
    std::optional<HttpQuery> query_;   // of that, once its head is there
    std::vector<std::uint8_t> out_;    // to be sent
    std::vector<std::uint8_t> taken_;  // what next_output() gave away last
    std::uint64_t now_ms_ = 0, began_ms_ = 0;
    std::uint32_t serial_ = 0;  // of the last request that was handed over
    HttpMethod method_ = HttpMethod::other;
    bool answering_ = false;  // it waits for its answer
    bool keep_alive_ = true;
    bool ending_ = false;  // after out_
};

}  // namespace steer::stream
