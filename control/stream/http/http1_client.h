// HTTP/1.1 with an upstream that speaks nothing newer (RFC 9112), read by Beast's parser out of memory:
// one query at a time, on a connection that stays open if the upstream keeps it open.
//
// A query that is cancelled takes the connection with it: its response would be the next one's.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <memory>

#include "control/stream/http/http_client.h"

namespace steer::stream {

class Http1Client final : public HttpClient {
  public:
    // `taker` outlives it.
    Http1Client(HttpTarget target, HttpReplyTaker& taker)
        : target_(std::move(target)), taker_(taker) {}

    std::uint32_t ask(std::span<const std::uint8_t> query) override;
    void cancel(std::uint32_t request) override;
    [[nodiscard]] unsigned room() const override { return over_ || busy_ ? 0 : 1; }
    void receive(std::span<const std::uint8_t> bytes) override;
    void receive_end() override;
    std::span<const std::uint8_t> next_output() override;
    [[nodiscard]] bool is_over() const override { return over_ && out_.empty(); }
    [[nodiscard]] const std::string& why() const override { return why_; }

  private:
    using Parser =
        boost::beast::http::response_parser<boost::beast::http::vector_body<std::uint8_t>>;

    void begin();
    void on_complete();
    void fail(std::string why);

    HttpTarget target_;
    HttpReplyTaker& taker_;
    std::unique_ptr<Parser> parser_;  // of the response that is awaited
    std::vector<std::uint8_t> in_, out_, taken_;
    std::string why_;
    std::uint32_t serial_ = 0;  // of the last request
    bool busy_ = false;
    bool over_ = false;
};

}  // namespace steer::stream
