// A client's HTTP/2 connection (RFC 9113), with nghttp2, one query per stream.
//
// Limits, each with a counter:
// - concurrent streams (announced); a head of kMaxHttpHead, a query of kMaxHttpQuery bytes;
// - kUnsent bytes of answers that the client does not accept (its flow control): a further request
//   is refused (REFUSED_STREAM: it may be retried);
// - the streams that the client reset before their answer may exceed the answered ones by kResets
//   (CVE-2023-44487); above that, GOAWAY with ENHANCE_YOUR_CALM;
// - frames without a request (all but HEADERS and non-empty DATA): kControlFrames, plus
//   kControlFramesPerAnswer for each answer; above that, GOAWAY with ENHANCE_YOUR_CALM;
// - pending acknowledgements and CONTINUATION frames: limited by nghttp2, which ends the
//   connection;
// - a request that is incomplete kHttpRequestMs after its start is reset.
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <utility>

#include "control/streams/http/http_session.h"

namespace steer::stream {

template <class Owner>
struct Http2Calls;

class Http2Session final : public HttpSession {
  public:
    static constexpr std::size_t kUnsent = 256 * 1024;
    static constexpr unsigned kResets = 100;
    static constexpr unsigned kControlFrames = 500;
    static constexpr unsigned kControlFramesPerAnswer = 8;

    // The three arguments must outlive the session.
    Http2Session(const HttpSite& site, HttpQueryTaker& taker, StreamCounters& counters,
                 std::uint32_t streams);
    ~Http2Session() override;
    Http2Session(const Http2Session&) = delete;
    Http2Session& operator=(const Http2Session&) = delete;

    void receive(std::span<const std::uint8_t> bytes, std::uint64_t now_ms) override;
    [[nodiscard]] bool wants_input() const override { return !is_over(); }
    bool answer(std::uint32_t stream, HttpStatus status,
                std::span<const std::uint8_t> response) override;
    std::span<const std::uint8_t> next_output() override;
    [[nodiscard]] std::size_t unsent() const override { return unsent_; }
    [[nodiscard]] std::size_t held_bytes() const override;
    void shut_down() override;
    void send_away() override;
    [[nodiscard]] bool is_over() const override;

  private:
    struct Stream {
        HttpHead head;
        std::size_t head_bytes = 0;
        std::uint64_t began_ms = 0;
        std::size_t path = 0;
        AnswerForm form = AnswerForm::message;
        bool complete = false;  // the whole request has arrived
        bool answered = false;
        bool given_up = false;              // we reset it
        std::vector<std::uint8_t> content;  // of the request; then of the answer
        std::size_t sent = 0;               // of the answer
        std::size_t ignored = 0;            // of the request, after the answer
        std::size_t counted = 0;            // of stream_bytes_
    };
    struct Calls;  // nghttp2's callbacks
    friend struct Http2Calls<Http2Session>;

    void on_begun(std::int32_t id);
    void on_header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
    void on_head(std::int32_t id, Stream& stream, bool is_all);
    void on_content(std::int32_t id, std::span<const std::uint8_t> bytes);
    void on_complete(std::int32_t id, Stream& stream);
    void on_closed(std::int32_t id, std::uint32_t error);
    void on_frame_head(const nghttp2_frame_hd& head);
    void on_frame(const nghttp2_frame& frame);
    std::span<const std::uint8_t> take_content(std::int32_t id, std::size_t most, bool& last);
    void refuse(std::int32_t id, const HttpRefusal& refusal);
    void give_up_slow_ones();
    void give_up(std::int32_t id, Stream& stream, std::uint32_t why);
    void calm_down();
    [[nodiscard]] Stream* find(std::int32_t id);
    void count(StreamCount c) { counters_.add(c); }
    // Counts the present memory of the stream.
    void recount(Stream& stream);

    const HttpSite& site_;
    HttpQueryTaker& taker_;
    StreamCounters& counters_;
    std::size_t library_bytes_ = 0;  // allocated by nghttp2 for session_
    std::size_t stream_bytes_ = 0;   // in streams_
    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, Stream> streams_;
    std::pair<std::int32_t, Stream*> found_{0, nullptr};  // the last one found
    std::size_t unsent_ = 0;
    std::uint64_t now_ms_ = 0;
    std::uint64_t checked_ms_ = 0;  // last check for slow requests
    unsigned resets_left_ = kResets;
    unsigned control_frames_left_ = kControlFrames;
    bool calming_ = false;
    bool is_sent_away_ = false;
    bool broken_ = false;
};

}  // namespace steer::stream
