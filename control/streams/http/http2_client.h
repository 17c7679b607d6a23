// HTTP/2 to a server (RFC 9113), with nghttp2: many requests at a time, one per stream.
//
// At most kStreams at a time, or the server's limit once it has announced one. The frames of a request are sent without other
// frames in between, because knot-resolver accepts no second request before the first is complete.
// After GOAWAY no further requests are sent; requests that the server did not process may be
// retried elsewhere. If the head of a response is too long, only its request fails.
#pragma once

#include <nghttp2/nghttp2.h>

#include <deque>
#include <map>
#include <string_view>

#include "control/streams/http/http_client.h"

namespace steer::stream {

template <class Owner>
struct Http2Calls;

class Http2Client final : public HttpClient {
  public:
    static constexpr unsigned kStreams = 100;

    // `taker` must outlive it.
    Http2Client(HttpClientLimits limits, HttpReplyTaker& taker);
    ~Http2Client() override;
    Http2Client(const Http2Client&) = delete;
    Http2Client& operator=(const Http2Client&) = delete;

    std::uint32_t ask(std::shared_ptr<const HttpRequestHead> head,
                      std::span<const std::uint8_t> content) override;
    void cancel(std::uint32_t request) override;
    [[nodiscard]] unsigned room() const override;
    [[nodiscard]] bool is_leaving() const override;
    [[nodiscard]] std::optional<unsigned> announced_limit() const override;
    void receive(std::span<const std::uint8_t> bytes) override;
    std::span<const std::uint8_t> next_output() override;
    [[nodiscard]] bool is_over() const override;
    [[nodiscard]] const std::string& why() const override { return why_; }

  private:
    struct Stream {
        std::shared_ptr<const HttpRequestHead> head;
        std::vector<std::uint8_t> content;
        std::size_t sent = 0;
        std::size_t head_bytes = 0;
        HttpResponseHead response;
        bool submitted = false;  // passed to nghttp2
        bool written = false;    // to its end
        bool answered = false;   // the final head was passed on
        bool complete = false;   // the whole response has arrived
        bool cancelled = false;
    };
    struct Calls;  // nghttp2's callbacks
    friend struct Http2Calls<Http2Client>;

    void submit(std::int32_t id);
    void on_header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
    void on_content(std::int32_t id, std::span<const std::uint8_t> bytes);
    void on_frame(const nghttp2_frame& frame);
    std::span<const std::uint8_t> take_content(std::int32_t id, std::size_t most, bool& last);
    void on_closed(std::int32_t id, std::uint32_t error);
    void on_goaway(const nghttp2_goaway& frame, std::string_view who);
    void give_up(std::int32_t id);
    void fail(std::string why);
    void end_streams();
    // Whether nghttp2 neither reads nor writes any more.
    [[nodiscard]] bool is_finished() const;
    [[nodiscard]] Stream* find(std::int32_t id);

    const HttpClientLimits limits_;
    HttpReplyTaker& taker_;
    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, Stream> streams_;
    std::deque<std::int32_t> to_submit_;
    std::int32_t next_id_ = 1;
    std::string why_;
    bool broken_ = false;
    bool has_settings_ = false;  // of the server
};

}  // namespace steer::stream
