#include "control/streams/http/http2_session.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "control/streams/http/http2_calls.h"
#include "control/streams/http/http_answer.h"
#include "matchers/octets.h"

namespace steer::stream {
namespace {

constexpr std::size_t kMaxIgnored = 64 * 1024;  // of a request that was answered before its end
constexpr std::size_t kMaxPadding = 256;        // with its length
constexpr std::uint64_t kCheckEveryMs = 1'000;
constexpr std::size_t kMaxFields = 8;  // of an answer
// Of fields that were sent and may be pointed to (RFC 7541 4.1): a content type, HTTP/3's address and
// two dates.
constexpr std::size_t kTableBytes = 288;

// Of a session without a stream: kSessionBytes of control/streams/base/client_budget.h.
constexpr std::size_t kIdleBytes = 28 * 1024;

// The C library's allocator, which counts what is allocated into `bytes`.
void* counted(void* memory, void* bytes) {
    *static_cast<std::size_t*>(bytes) += ::malloc_usable_size(memory);
    return memory;
}
void uncount(void* memory, void* bytes) {
    *static_cast<std::size_t*>(bytes) -= ::malloc_usable_size(memory);
}
nghttp2_mem counting_memory(std::size_t& bytes) {
    return {&bytes, [](std::size_t size, void* all) { return counted(std::malloc(size), all); },
            [](void* memory, void* all) {
                uncount(memory, all);
                std::free(memory);
            },
            [](std::size_t count, std::size_t size, void* all) {
                return counted(std::calloc(count, size), all);
            },
            [](void* memory, std::size_t size, void* all) -> void* {
                const std::size_t before = ::malloc_usable_size(memory);
                void* const moved = std::realloc(memory, size);
                if (moved == nullptr) return nullptr;
                *static_cast<std::size_t*>(all) -= before;
                return counted(moved, all);
            }};
}

// Fields that change with each answer are not added to the header tables. The date is constant for a
// second.
bool is_worth_indexing(std::string_view name) {
    return name == "content-type" || name == "alt-svc" || name == "date";
}

}  // namespace

struct Http2Session::Calls : Http2Calls<Http2Session> {
    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).on_begun(frame->hd.stream_id);
        return 0;
    }
    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
        self(user).on_frame_head(*head);
        return 0;
    }
    static int on_invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user) {
        self(user).count(StreamCount::http_malformed);
        return 0;
    }

    static nghttp2_session_callbacks* all() {
        static nghttp2_session_callbacks* const kAll = [] {
            nghttp2_session_callbacks* const c = make();
            nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
            nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
            nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
            return c;
        }();
        return kAll;
    }
    static nghttp2_option* options() {
        static nghttp2_option* const kOptions = [] {
            nghttp2_option* const o = make_options();
            nghttp2_option_set_no_closed_streams(o, 1);
            nghttp2_option_set_max_deflate_dynamic_table_size(o, kTableBytes);
            return o;
        }();
        return kOptions;
    }
};

// ---- the session

Http2Session::Http2Session(const HttpSite& site, HttpQueryTaker& taker, StreamCounters& counters,
                           std::uint32_t streams)
    : site_(site), taker_(taker), counters_(counters) {
    nghttp2_mem memory = counting_memory(library_bytes_);
    if (nghttp2_session_server_new3(&session_, Calls::all(), this, Calls::options(), &memory) !=
        0) {
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

// (Most calls are about the stream of the one before.)
Http2Session::Stream* Http2Session::find(std::int32_t id) {
    if (found_.first == id) return found_.second;
    const auto found = streams_.find(id);
    if (found == streams_.end()) return nullptr;
    found_ = {id, &found->second};
    return found_.second;
}

void Http2Session::on_begun(std::int32_t id) {
    Stream& stream = streams_[id];
    stream.began_ms = now_ms_;
    recount(stream);
    found_ = {id, &stream};
}

void Http2Session::on_header(const nghttp2_frame& frame, std::string_view name,
                             std::string_view value) {
    Stream* const stream = find(frame.hd.stream_id);
    if (stream == nullptr || frame.headers.cat != NGHTTP2_HCAT_REQUEST) return;  // trailers
    stream->head_bytes += name.size() + value.size() + kFieldOverhead;
    if (stream->head_bytes > kMaxHttpHead) return;
    take_field(stream->head, name, value, site_.client_header);
}

void Http2Session::on_frame(const nghttp2_frame& frame) {
    const std::int32_t id = frame.hd.stream_id;
    const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    Stream* const stream = find(id);
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
    const std::size_t padding = (head.flags & NGHTTP2_FLAG_PADDED) != 0 ? kMaxPadding : 0;
    if (head.type == NGHTTP2_HEADERS) return;
    if (head.type == NGHTTP2_DATA && (ends || head.length > padding)) return;
    if (control_frames_left_ == 0) return calm_down();
    --control_frames_left_;
}

void Http2Session::on_head(std::int32_t id, Stream& stream, bool is_all) {
    count(StreamCount::http_requests);
    stream.complete = is_all;
    if (stream.head_bytes > kMaxHttpHead) return refuse(id, HttpStatus::fields_too_large);
    if (unsent_ > kUnsent) {
        count(StreamCount::http_unread);
        return give_up(id, stream, NGHTTP2_REFUSED_STREAM);
    }
    auto judged = judge_head(stream.head, site_.paths);
    if (const auto* refused = std::get_if<HttpRefusal>(&judged)) return refuse(id, *refused);
    auto& query = std::get<HttpQuery>(judged);
    stream.path = query.path;
    stream.form = query.form;
    if (!query.in_content) stream.content = std::move(query.message);
    recount(stream);
    if (is_all) on_complete(id, stream);
}

void Http2Session::on_content(std::int32_t id, std::span<const std::uint8_t> bytes) {
    Stream* const found = find(id);
    if (found == nullptr || found->given_up) return;
    Stream& stream = *found;
    if (stream.answered) {  // RFC 9113 8.1; most clients send all of it before they read an answer
        stream.ignored += bytes.size();
        if (stream.ignored > kMaxIgnored) give_up(id, stream, NGHTTP2_NO_ERROR);
        return;
    }
    if (stream.head.method != HttpMethod::post) return;
    if (bytes.size() > kMaxHttpQuery - stream.content.size())
        return refuse(id, HttpStatus::content_too_large);
    stream.content.insert(stream.content.end(), bytes.begin(), bytes.end());
    recount(stream);
}

void Http2Session::recount(Stream& stream) {
    const std::size_t now = sizeof stream + stream.head_bytes + stream.content.capacity();
    stream_bytes_ += now - std::exchange(stream.counted, now);  // modulo 2^64
}

std::size_t Http2Session::held_bytes() const {
    const std::size_t all = library_bytes_ + stream_bytes_;
    return all - std::min(all, kIdleBytes);
}

void Http2Session::on_complete(std::int32_t id, Stream& stream) {
    stream.complete = true;
    if (stream.answered || stream.given_up) return;
    if (const auto status = judge_message(stream.content); status != HttpStatus::ok)
        return refuse(id, status);
    const auto message = std::exchange(stream.content, {});
    recount(stream);
    const auto forwarded_for = std::exchange(stream.head.forwarded_for, {});
    taker_.take_query(static_cast<std::uint32_t>(id), stream.path, message, forwarded_for);
}

void Http2Session::refuse(std::int32_t id, const HttpRefusal& refusal) {
    count(StreamCount::http_refused);
    answer(static_cast<std::uint32_t>(id), refusal.status, octets_of(refusal.text));
}

bool Http2Session::answer(std::uint32_t id, HttpStatus status,
                          std::span<const std::uint8_t> response) {
    Stream* const stream = find(static_cast<std::int32_t>(id));
    if (stream == nullptr || stream->answered || broken_) return false;
    stream->answered = true;
    stream->content.clear();
    const HttpAnswerFields fields(status, response, std::time(nullptr), stream->form,
                                  site_.alternative);
    if (stream->head.method != HttpMethod::head)
        stream->content.assign(fields.content().begin(), fields.content().end());
    unsent_ += stream->content.size();
    recount(*stream);
    control_frames_left_ = std::min(control_frames_left_ + kControlFramesPerAnswer, kControlFrames);

    std::array<char, 3> digits;
    const auto code = static_cast<unsigned>(fields.status());
    digits = {static_cast<char>('0' + code / 100), static_cast<char>('0' + code / 10 % 10),
              static_cast<char>('0' + code % 10)};
    std::array<nghttp2_nv, kMaxFields> head;
    std::size_t n = 0;
    head[n++] = http2_field(":status", {digits.data(), digits.size()}, NGHTTP2_NV_FLAG_NONE);
    for (const auto& [name, value] : fields.fields())
        head[n++] = http2_field(
            name, value, is_worth_indexing(name) ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX);
    nghttp2_data_provider provider{{}, Calls::read};
    return nghttp2_submit_response(session_, static_cast<std::int32_t>(id), head.data(), n,
                                   stream->content.empty() ? nullptr : &provider) == 0;
}

std::span<const std::uint8_t> Http2Session::take_content(std::int32_t id, std::size_t most,
                                                         bool& last) {
    Stream* const stream = find(id);
    if (stream == nullptr) return {};
    const auto left = std::span(stream->content).subspan(stream->sent);
    const auto taken = left.first(std::min(most, left.size()));
    stream->sent += taken.size();
    unsent_ -= taken.size();
    last = taken.size() == left.size();
    return taken;
}

// The client caused a stream to end before its answer was sent, also if our library reset it because of
// the client (CVE-2025-8671), unless we gave it up.
void Http2Session::on_closed(std::int32_t id, std::uint32_t) {
    Stream* const found = find(id);
    if (found == nullptr) return;
    const Stream& stream = *found;
    const bool whole = stream.answered && stream.sent == stream.content.size();
    const bool ours = stream.given_up;
    if (stream.answered) unsent_ -= stream.content.size() - stream.sent;
    stream_bytes_ -= stream.counted;
    streams_.erase(id);
    found_ = {0, nullptr};
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
    if (now_ms_ < checked_ms_ + kCheckEveryMs) return;
    checked_ms_ = now_ms_;
    for (auto& [id, stream] : streams_) {
        if (stream.complete || stream.given_up || now_ms_ < stream.began_ms + kHttpRequestMs)
            continue;
        count(StreamCount::http_too_slow);
        give_up(id, stream, NGHTTP2_CANCEL);
    }
}

void Http2Session::give_up(std::int32_t id, Stream& stream, std::uint32_t why) {
    stream.given_up = true;
    if (!stream.answered) stream.content.clear();
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, why);
}

void Http2Session::shut_down() {
    if (!broken_) nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

// Requests that cross it in transit are answered too.
void Http2Session::send_away() {
    if (broken_ || calming_ || std::exchange(is_sent_away_, true)) return;
    (void)nghttp2_submit_shutdown_notice(session_);
}

}  // namespace steer::stream
