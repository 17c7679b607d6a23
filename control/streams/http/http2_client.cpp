#include "control/streams/http/http2_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "control/streams/http/http2_calls.h"

namespace steer::stream {
namespace {

constexpr std::int32_t kConnectionWindow = 1 << 20;  // bytes of all responses, unread
constexpr std::int32_t kLastStream = 0x7fff'fffd;

std::string in_lower_case(std::string name) {
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    return name;
}

std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

struct Http2Client::Calls : Http2Calls<Http2Client> {
    static int on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_GOAWAY)
            self(user).on_goaway(frame->goaway, "the server broke HTTP/2: ");
        return 0;
    }
    static int on_frame_not_send(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
        if (frame->hd.type == NGHTTP2_HEADERS)
            self(user).on_closed(frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
        return 0;
    }

    static nghttp2_session_callbacks* all() {
        static nghttp2_session_callbacks* const kAll = [] {
            nghttp2_session_callbacks* const c = make();
            nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_sent);
            nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_frame_not_send);
            return c;
        }();
        return kAll;
    }
    static nghttp2_option* options() {
        static nghttp2_option* const kOptions = make_options();
        return kOptions;
    }
};

// ---- the client

Http2Client::Http2Client(HttpClientLimits limits, HttpReplyTaker& taker)
    : limits_(std::move(limits)), taker_(taker) {
    if (nghttp2_session_client_new2(&session_, Calls::all(), this, Calls::options()) != 0) {
        session_ = nullptr;
        fail("no memory");
        return;
    }
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.window_bytes},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                               static_cast<std::uint32_t>(limits_.head_bytes)}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2Client::~Http2Client() {
    nghttp2_session_del(session_);
}

Http2Client::Stream* Http2Client::find(std::int32_t id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : &found->second;
}

std::uint32_t Http2Client::ask(std::shared_ptr<const HttpRequestHead> head,
                               std::span<const std::uint8_t> content) {
    const std::int32_t id = next_id_;
    next_id_ += 2;
    Stream& stream = streams_[id];
    stream.head = std::move(head);
    stream.content.assign(content.begin(), content.end());
    to_submit_.push_back(id);
    return static_cast<std::uint32_t>(id);
}

// (nghttp2 sends the heads of all requests that it knows of before the content of any.)
void Http2Client::submit(std::int32_t id) {
    Stream& stream = streams_[id];
    stream.submitted = true;
    stream.written = stream.content.empty();
    const HttpRequestHead& request = *stream.head;
    std::vector<nghttp2_nv> head{
        http2_field(":method", request.method), http2_field(":scheme", request.scheme),
        http2_field(":authority", request.authority), http2_field(":path", request.path)};
    std::vector<std::string> names;
    names.reserve(request.fields.size());
    for (const HttpHeader& field : request.fields) {
        names.push_back(in_lower_case(field.name));
        head.push_back(http2_field(names.back(), field.value));
        head.back().flags = NGHTTP2_NV_FLAG_NONE;  // the name goes with this call
    }
    std::array<char, 20> digits;
    if (!stream.content.empty()) {
        const auto end = std::to_chars(digits.begin(), digits.end(), stream.content.size()).ptr;
        head.push_back(http2_field("content-length", {digits.begin(), end}));
    }
    const nghttp2_data_provider content{{}, Calls::read};
    nghttp2_session_set_next_stream_id(session_, id);  // past those that were given up
    const auto got = nghttp2_submit_request(session_, nullptr, head.data(), head.size(),
                                            stream.content.empty() ? nullptr : &content, nullptr);
    if (got != id) on_closed(id, NGHTTP2_REFUSED_STREAM);
}

bool Http2Client::is_leaving() const {
    return broken_ || next_id_ > kLastStream ||
           nghttp2_session_check_request_allowed(session_) == 0;
}

std::optional<unsigned> Http2Client::announced_limit() const {
    if (!has_settings_) return std::nullopt;
    return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

unsigned Http2Client::room() const {
    if (is_leaving()) return 0;
    const unsigned most = std::min(kStreams, announced_limit().value_or(kStreams));
    return streams_.size() < most ? most - static_cast<unsigned>(streams_.size()) : 0;
}

void Http2Client::cancel(std::uint32_t request) {
    give_up(static_cast<std::int32_t>(request));
}

void Http2Client::give_up(std::int32_t id) {
    Stream* const stream = find(id);
    if (stream == nullptr || broken_) return;
    stream->cancelled = true;
    if (!stream->submitted) {
        std::erase(to_submit_, id);
        streams_.erase(id);
        return;
    }
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void Http2Client::on_header(const nghttp2_frame& frame, std::string_view name,
                            std::string_view value) {
    const std::int32_t id = frame.hd.stream_id;
    Stream* const stream = find(id);
    if (stream == nullptr || stream->cancelled) return;
    stream->head_bytes += name.size() + value.size() + kFieldOverhead;
    if (stream->head_bytes > limits_.head_bytes) {
        give_up(id);
        return taker_.take_failure(
            static_cast<std::uint32_t>(id), Retry::never,
            "HTTP/2: a head of more than " + std::to_string(limits_.head_bytes) + " bytes");
    }
    if (stream->answered) return;  // trailers
    HttpResponseHead& response = stream->response;
    if (name == ":status") {
        response = {.status = static_cast<unsigned>(number_in(value))};
    } else if (name == "content-length") {
        response.content_length = number_in(value);
    }
    if (std::ranges::find(limits_.wanted, name) != limits_.wanted.end())
        response.fields.push_back({std::string(name), std::string(value)});
}

void Http2Client::on_content(std::int32_t id, std::span<const std::uint8_t> bytes) {
    const Stream* const stream = find(id);
    if (stream == nullptr || stream->cancelled) return;
    taker_.take_content(static_cast<std::uint32_t>(id), bytes);
}

std::span<const std::uint8_t> Http2Client::take_content(std::int32_t id, std::size_t most,
                                                        bool& last) {
    Stream* const stream = find(id);
    if (stream == nullptr) return {};
    const auto left = std::span(stream->content).subspan(stream->sent);
    const auto taken = left.first(std::min(most, left.size()));
    stream->sent += taken.size();
    last = taken.size() == left.size();
    if (last) {
        stream->written = true;
        taker_.take_written(static_cast<std::uint32_t>(id));
    }
    return taken;
}

void Http2Client::on_frame(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_GOAWAY) on_goaway(frame.goaway, "the server ended HTTP/2: ");
    if (frame.hd.type == NGHTTP2_SETTINGS && (frame.hd.flags & NGHTTP2_FLAG_ACK) == 0)
        has_settings_ = true;
    if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
    Stream* const stream = find(frame.hd.stream_id);
    if (stream == nullptr) return;
    if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->complete = true;
    if (stream->answered || stream->cancelled || stream->response.status < kFirstFinalStatus)
        return;
    stream->answered = true;
    taker_.take_head(static_cast<std::uint32_t>(frame.hd.stream_id), stream->response);
}

void Http2Client::on_closed(std::int32_t id, std::uint32_t error) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    Stream stream = std::move(found->second);
    streams_.erase(found);
    if (stream.cancelled) return;
    if (stream.complete && stream.answered) {  // also if an RST_STREAM follows (RFC 9113 8.1)
        taker_.take_end(static_cast<std::uint32_t>(id));
    } else {
        // Also above the last stream of GOAWAY (RFC 9113 6.8).
        const bool is_refused = error == NGHTTP2_REFUSED_STREAM;
        taker_.take_failure(static_cast<std::uint32_t>(id),
                            is_refused ? Retry::unprocessed : Retry::never, {});
    }
}

void Http2Client::on_goaway(const nghttp2_goaway& frame, std::string_view who) {
    if (frame.error_code == NGHTTP2_NO_ERROR || !why_.empty()) return;
    why_.append(who).append(nghttp2_http2_strerror(frame.error_code));
}

void Http2Client::receive(std::span<const std::uint8_t> bytes) {
    if (broken_) return;
    const auto n = nghttp2_session_mem_recv(session_, bytes.data(), bytes.size());
    if (n < 0) fail(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(n)));
}

std::span<const std::uint8_t> Http2Client::next_output() {
    while (!broken_) {
        const std::uint8_t* bytes = nullptr;
        const auto n = nghttp2_session_mem_send(session_, &bytes);
        if (n < 0) {
            fail(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(n)));
        } else if (n > 0) {
            return {bytes, static_cast<std::size_t>(n)};
        } else if (to_submit_.empty()) {
            // After an error that it found itself, nghttp2 closes none of our streams.
            if (is_finished()) end_streams();
            break;
        } else {
            const std::int32_t id = to_submit_.front();
            to_submit_.pop_front();
            submit(id);
        }
    }
    return {};
}

void Http2Client::fail(std::string why) {
    broken_ = true;
    why_ = std::move(why);
    end_streams();
}

void Http2Client::end_streams() {
    to_submit_.clear();
    for (const auto& [id, stream] : std::exchange(streams_, {})) {
        if (stream.cancelled) continue;
        taker_.take_failure(static_cast<std::uint32_t>(id),
                            stream.written ? Retry::lost : Retry::unprocessed, why_);
    }
}

bool Http2Client::is_finished() const {
    return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

bool Http2Client::is_over() const {
    if (broken_) return true;
    return is_finished() || (room() == 0 && streams_.empty());
}

}  // namespace steer::stream
