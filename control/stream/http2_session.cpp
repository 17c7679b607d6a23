#include "control/stream/http2_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "control/stream/http_answer.h"

namespace steer::stream {
namespace {

constexpr std::size_t kOutboundAcks = 100;
constexpr std::size_t kFieldOverhead = 32;       // RFC 9113 6.5.2
constexpr std::size_t kMostIgnored = 64 * 1024;  // of a request that was answered before its end
constexpr std::size_t kMostPadding = 256;        // with its length
constexpr std::uint64_t kLookEveryMs = 1'000;
constexpr std::size_t kMostFields = 8;  // of an answer

nghttp2_nv field(std::string_view name, std::string_view value, std::uint8_t flags) {
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

// What changes with each answer is kept out of the client's table and ours.
bool is_worth_indexing(std::string_view name) {
    return name == "content-type";
}

}  // namespace

// ---- nghttp2's callbacks: from C, to members

struct Http2Session::Calls {
    static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }

    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
        Http2Session& s = self(user);
        s.streams_[static_cast<std::uint32_t>(frame->hd.stream_id)].began_ms = s.now_ms_;
        return 0;
    }
    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_length, const std::uint8_t* value,
                         std::size_t value_length, std::uint8_t, void* user) {
        Stream* const stream = self(user).find(frame->hd.stream_id);
        if (stream == nullptr || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
        self(user).on_header(*stream, {reinterpret_cast<const char*>(name), name_length},
                             {reinterpret_cast<const char*>(value), value_length});
        return 0;
    }
    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
        self(user).on_frame_head(*head);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        self(user).on_frame(*frame);
        return 0;
    }
    static int on_invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user) {
        self(user).count(StreamCount::http_malformed);
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t length, void* user) {
        Stream* const stream = self(user).find(id);
        if (stream == nullptr) return 0;
        self(user).on_content(static_cast<std::uint32_t>(id), *stream, {bytes, length});
        return 0;
    }
    static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
        Stream* const stream = self(user).find(id);
        if (stream == nullptr) return 0;
        self(user).on_closed(static_cast<std::uint32_t>(id), *stream);
        return 0;
    }
    static ssize_t read(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                        std::uint32_t* flags, nghttp2_data_source*, void* user) {
        bool last = false;
        const std::size_t n =
            self(user).read_answer(static_cast<std::uint32_t>(id), {into, room}, last);
        if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(n);
    }

    static nghttp2_session_callbacks* all() {
        static nghttp2_session_callbacks* const kAll = [] {
            nghttp2_session_callbacks* c = nullptr;
            nghttp2_session_callbacks_new(&c);
            nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
            nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(c, on_header);
            nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
            nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
            nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
            return c;
        }();
        return kAll;
    }
    static nghttp2_option* options() {
        static nghttp2_option* const kOptions = [] {
            nghttp2_option* o = nullptr;
            nghttp2_option_new(&o);
            nghttp2_option_set_max_outbound_ack(o, kOutboundAcks);
            nghttp2_option_set_no_closed_streams(o, 1);
            return o;
        }();
        return kOptions;
    }
};

// ---- the session

Http2Session::Http2Session(const HttpSite& site, HttpQueryTaker& taker, StreamCounters& counters,
                           std::uint32_t streams)
    : site_(site), taker_(taker), counters_(counters) {
    if (nghttp2_session_server_new2(&session_, Calls::all(), this, Calls::options()) != 0) {
        session_ = nullptr;
        broken_ = true;
        return;
    }
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxHttpHead},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

Http2Session::~Http2Session() {
    nghttp2_session_del(session_);
}

void Http2Session::receive(std::span<const std::uint8_t> bytes, std::uint64_t now_ms) {
    now_ms_ = now_ms;
    if (broken_) return;
    const auto n = nghttp2_session_mem_recv(session_, bytes.data(), bytes.size());
    if (n >= 0) return give_up_slow_ones();
    const bool flood = n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_SETTINGS ||
                       n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    count(flood ? StreamCount::http_floods : StreamCount::http_malformed);
    broken_ = true;
}

bool Http2Session::is_over() const {
    return broken_ ||
           (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

Http2Session::Stream* Http2Session::find(std::int32_t id) {
    const auto found = streams_.find(static_cast<std::uint32_t>(id));
    return found == streams_.end() ? nullptr : &found->second;
}

void Http2Session::on_header(Stream& stream, std::string_view name, std::string_view value) {
    stream.head_bytes += name.size() + value.size() + kFieldOverhead;
    if (stream.head_bytes > kMaxHttpHead) return;
    HttpHead& head = stream.head;
    if (name == ":method") {
        head.method = method_of(value);
    } else if (name == ":path") {
        head.target = value;
    } else if (name == "content-type") {
        head.content_type = value;
    } else if (name == "content-encoding") {
        head.encoded = head.encoded || value != "identity";
    } else if (name == "content-length") {  // nghttp2 holds it against what comes
        std::uint64_t length = UINT64_MAX;  // stays so if it is larger
        std::from_chars(value.data(), value.data() + value.size(), length);
        head.content_length = length;
    } else if (!site_.client_header.empty() && name == site_.client_header) {
        head.forwarded_for.append(head.forwarded_for.empty() ? "" : ",").append(value);
    }
}

void Http2Session::on_frame(const nghttp2_frame& frame) {
    const auto id = static_cast<std::uint32_t>(frame.hd.stream_id);
    const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    Stream* const stream = find(frame.hd.stream_id);
    switch (frame.hd.type) {
        case NGHTTP2_HEADERS:
            if (stream == nullptr) return;
            if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) return on_head(id, *stream, ends);
            if (ends) on_complete(id, *stream);
            return;
        case NGHTTP2_DATA:
            if (stream != nullptr && ends) on_complete(id, *stream);
            return;
        default:
            return;
    }
}

// A frame begins, of any kind.
void Http2Session::on_frame_head(const nghttp2_frame_hd& head) {
    const bool ends = (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const std::size_t padding = (head.flags & NGHTTP2_FLAG_PADDED) != 0 ? kMostPadding : 0;
    if (head.type == NGHTTP2_HEADERS) return;
    if (head.type == NGHTTP2_DATA && (ends || head.length > padding)) return;
    if (control_frames_left_ == 0) return calm_down();
    --control_frames_left_;
}

void Http2Session::on_head(std::uint32_t id, Stream& stream, bool is_all) {
    count(StreamCount::http_requests);
    stream.complete = is_all;
    if (stream.head_bytes > kMaxHttpHead) return refuse(id, HttpStatus::fields_too_large);
    if (unsent_ > kUnsent) {
        count(StreamCount::http_unread);
        return give_up(id, stream, NGHTTP2_REFUSED_STREAM);
    }
    auto judged = judge_head(stream.head, site_.paths);
    if (const auto* status = std::get_if<HttpStatus>(&judged)) return refuse(id, *status);
    auto& query = std::get<HttpQuery>(judged);
    stream.path = query.path;
    if (!query.in_content) stream.content = std::move(query.message);
    if (is_all) on_complete(id, stream);
}

void Http2Session::on_content(std::uint32_t id, Stream& stream,
                              std::span<const std::uint8_t> bytes) {
    if (stream.given_up) return;
    if (stream.answered) {  // RFC 9113 8.1; most clients send all of it before they read an answer
        stream.ignored += bytes.size();
        if (stream.ignored > kMostIgnored) give_up(id, stream, NGHTTP2_NO_ERROR);
        return;
    }
    if (stream.head.method != HttpMethod::post) return;
    if (bytes.size() > kMaxHttpQuery - stream.content.size())
        return refuse(id, HttpStatus::content_too_large);
    stream.content.insert(stream.content.end(), bytes.begin(), bytes.end());
}

void Http2Session::on_complete(std::uint32_t id, Stream& stream) {
    stream.complete = true;
    if (stream.answered || stream.given_up) return;
    if (const auto status = judge_message(stream.content); status != HttpStatus::ok)
        return refuse(id, status);
    const auto message = std::exchange(stream.content, {});
    const auto forwarded_for = std::exchange(stream.head.forwarded_for, {});
    taker_.take_query(id, stream.path, message, forwarded_for);
}

void Http2Session::refuse(std::uint32_t id, HttpStatus status) {
    count(StreamCount::http_refused);
    const std::string_view text = text_of(status);
    answer(id, status, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

bool Http2Session::answer(std::uint32_t id, HttpStatus status,
                          std::span<const std::uint8_t> response) {
    Stream* const stream = find(static_cast<std::int32_t>(id));
    if (stream == nullptr || stream->answered || broken_) return false;
    stream->answered = true;
    stream->content.clear();
    if (stream->head.method != HttpMethod::head)
        stream->content.assign(response.begin(), response.end());
    unsent_ += stream->content.size();
    control_frames_left_ = std::min(control_frames_left_ + kControlFramesPerAnswer, kControlFrames);

    const HttpAnswerFields fields(status, response, std::time(nullptr));
    std::array<char, 3> digits;
    const auto code = static_cast<unsigned>(status);
    digits = {static_cast<char>('0' + code / 100), static_cast<char>('0' + code / 10 % 10),
              static_cast<char>('0' + code % 10)};
    std::array<nghttp2_nv, kMostFields> head;
    std::size_t n = 0;
    head[n++] = field(":status", {digits.data(), digits.size()}, NGHTTP2_NV_FLAG_NONE);
    for (const auto& [name, value] : fields.fields())
        head[n++] = field(
            name, value, is_worth_indexing(name) ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX);
    nghttp2_data_provider provider{{}, Calls::read};
    return nghttp2_submit_response(session_, static_cast<std::int32_t>(id), head.data(), n,
                                   stream->content.empty() ? nullptr : &provider) == 0;
}

std::size_t Http2Session::read_answer(std::uint32_t id, std::span<std::uint8_t> into, bool& last) {
    Stream* const stream = find(static_cast<std::int32_t>(id));
    if (stream == nullptr) return 0;
    const std::size_t n = std::min(into.size(), stream->content.size() - stream->sent);
    std::memcpy(into.data(), stream->content.data() + stream->sent, n);
    stream->sent += n;
    unsent_ -= n;
    last = stream->sent == stream->content.size();
    return n;
}

// A stream that ends before its answer was taken is the client's doing, also where it was our library
// that reset it for what the client did to it (CVE-2025-8671), unless we gave it up.
void Http2Session::on_closed(std::uint32_t id, Stream& stream) {
    const bool whole = stream.answered && stream.sent == stream.content.size();
    const bool ours = stream.given_up;
    if (stream.answered) unsent_ -= stream.content.size() - stream.sent;
    streams_.erase(id);
    if (whole) resets_left_ = std::min(resets_left_ + 1, kResets);
    if (whole || ours) return;
    count(StreamCount::http_resets);
    if (resets_left_ == 0) return calm_down();
    --resets_left_;
}

void Http2Session::calm_down() {
    if (calming_) return;
    calming_ = true;
    count(StreamCount::http_floods);
    nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

std::span<const std::uint8_t> Http2Session::next_output() {
    if (broken_) return {};
    const std::uint8_t* bytes = nullptr;
    const auto n = nghttp2_session_mem_send(session_, &bytes);
    if (n >= 0) return {bytes, static_cast<std::size_t>(n)};
    broken_ = true;
    return {};
}

void Http2Session::give_up_slow_ones() {
    if (now_ms_ < looked_ms_ + kLookEveryMs) return;
    looked_ms_ = now_ms_;
    for (auto& [id, stream] : streams_) {
        if (stream.complete || stream.given_up || now_ms_ < stream.began_ms + kHttpRequestMs)
            continue;
        count(StreamCount::http_too_slow);
        give_up(id, stream, NGHTTP2_CANCEL);
    }
}

void Http2Session::give_up(std::uint32_t id, Stream& stream, std::uint32_t why) {
    stream.given_up = true;
    if (!stream.answered) stream.content.clear();
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(id), why);
}

void Http2Session::shut_down() {
    if (!broken_) nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

}  // namespace steer::stream
