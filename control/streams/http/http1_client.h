// HTTP/1.1 to a server without HTTP/2 (RFC 9112), parsed by Beast from memory. One request at a
// time, on a connection that stays open if the server keeps it open.
//
// A cancelled request closes the connection, because its response would count as that of the next
// request.
#pragma once

#include "control/streams/http/http_client.h"

namespace steer::stream {

class Http1Client final : public HttpClient {
  public:
    // `taker` must outlive it.
    Http1Client(HttpClientLimits limits, HttpReplyTaker& taker);
    ~Http1Client() override;
    Http1Client(const Http1Client&) = delete;
    Http1Client& operator=(const Http1Client&) = delete;

    std::uint32_t ask(std::shared_ptr<const HttpRequestHead> head,
                      std::span<const std::uint8_t> content) override;
    void cancel(std::uint32_t request) override;
    [[nodiscard]] unsigned room() const override { return over_ || busy_ ? 0 : 1; }
    [[nodiscard]] bool is_leaving() const override { return over_; }
    void receive(std::span<const std::uint8_t> bytes) override;
    void receive_end() override;
    std::span<const std::uint8_t> next_output() override;
    [[nodiscard]] bool is_over() const override { return over_ && out_.empty(); }
    [[nodiscard]] const std::string& why() const override { return why_; }

  private:
    class Response;  // the response that is awaited, and its parser

    void on_complete();
    void fail(std::string why);

    const HttpClientLimits limits_;
    HttpReplyTaker& taker_;
    std::unique_ptr<Response> response_;
    std::vector<std::uint8_t> in_, out_, taken_;
    std::string why_;
    std::uint32_t serial_ = 0;  // of the last request
    bool busy_ = false;
    bool over_ = false;
};

}  // namespace steer::stream
