#include "control/streams/quic/http3.h"

#include <nghttp3/nghttp3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "matchers/octets.h"

namespace steer::quic {
namespace {

constexpr std::size_t kMostFields = 12;  // of a head that we send

Http3& http_of(void* user) {
    return *static_cast<Http3*>(user);
}

std::string_view text_of(nghttp3_rcbuf* buffer) {
    const nghttp3_vec bytes = nghttp3_rcbuf_get_buf(buffer);
    return chars_of({bytes.base, bytes.len});
}

std::uint8_t* bytes_of(std::string_view text) {
    return const_cast<std::uint8_t*>(octets_of(text).data());
}

struct Fields {
    std::array<nghttp3_nv, kMostFields> all{};
    std::size_t count = 0;
};

Fields fields_of(std::span<const Http3Field> head) {
    Fields out;
    for (const Http3Field& field : head.first(std::min(head.size(), kMostFields))) {
        out.all[out.count++] = {bytes_of(field.name), bytes_of(field.value), field.name.size(),
                                field.value.size(), NGHTTP3_NV_FLAG_NONE};
    }
    return out;
}

Application::Failure failure_of(int error) {
    return nghttp3_err_infer_quic_app_error_code(error);
}

}  // namespace

// What nghttp3 calls. Nothing here fails: a request is refused by its answer.
struct Http3Calls {
    static Http3::Events& events(void* user) { return http_of(user).events_; }

    static int begun(nghttp3_conn*, std::int64_t stream, void* user, void*) {
        Http3& http = http_of(user);
        http.uni_left_ =
            std::min(http.uni_left_ + Http3::kUniBytesPerRequest, Http3::kMostUniBytes);
        http.events_.on_begun(stream);
        return 0;
    }
    static int take_field(nghttp3_conn*, std::int64_t stream, std::int32_t, nghttp3_rcbuf* name,
                          nghttp3_rcbuf* value, std::uint8_t, void* user, void*) {
        events(user).on_field(stream, {text_of(name), text_of(value)});
        return 0;
    }
    static int head_ended(nghttp3_conn*, std::int64_t stream, int, void* user, void*) {
        events(user).on_head(stream);
        return 0;
    }
    static int take_content(nghttp3_conn*, std::int64_t stream, const std::uint8_t* data,
                            std::size_t length, void* user, void*) {
        events(user).on_content(stream, {data, length});
        return 0;
    }
    static int ended(nghttp3_conn*, std::int64_t stream, void* user, void*) {
        events(user).on_end(stream);
        return 0;
    }
    static int acknowledged(nghttp3_conn*, std::int64_t stream, std::uint64_t length, void* user,
                            void*) {
        events(user).on_acknowledged(stream, static_cast<std::size_t>(length));
        return 0;
    }
    static int closed(nghttp3_conn*, std::int64_t stream, std::uint64_t, void* user, void*) {
        events(user).on_closed(stream);
        return 0;
    }
    static nghttp3_ssize read_content(nghttp3_conn*, std::int64_t stream, nghttp3_vec* parts,
                                      std::size_t, std::uint32_t* flags, void* user, void*) {
        const auto content = events(user).content_of(stream);
        parts[0] = {const_cast<std::uint8_t*>(content.data()), content.size()};
        *flags |= NGHTTP3_DATA_FLAG_EOF;
        return content.empty() ? 0 : 1;
    }

    // nghttp3 also has a call to stop the other direction: StreamControl::reset() ends both.
    static int malformed(nghttp3_conn*, std::int64_t stream, std::uint64_t code, void* user,
                         void*) {
        events(user).on_malformed(stream, code);
        return 0;
    }
    static int away(nghttp3_conn*, std::int64_t stream, void* user) {
        events(user).on_away(stream);
        return 0;
    }

    static nghttp3_callbacks all() {
        nghttp3_callbacks calls{};
        calls.begin_headers = begun;
        calls.recv_header = take_field;
        calls.end_headers = head_ended;
        calls.recv_data = take_content;
        calls.end_stream = ended;
        calls.acked_stream_data = acknowledged;
        calls.stream_close = closed;
        calls.reset_stream = malformed;
        calls.shutdown = away;
        return calls;
    }
};

struct Http3::Memory {
    nghttp3_mem hooks{};
};

Http3::Http3(StreamControl& control, Events& events)
    : control_(control),
      account_(control.account()),
      events_(events),
      memory_(std::make_unique<Memory>(Memory{hooks_of<nghttp3_mem>(account_)})) {}

bool Http3::is_usable() const {
    return !account_.is_spent();
}

std::unique_ptr<Http3> Http3::make(StreamControl& control, Events& events, std::size_t most_head,
                                   bool is_server) {
    std::unique_ptr<Http3> made(new Http3(control, events));
    nghttp3_settings settings;
    nghttp3_settings_default(&settings);
    settings.max_field_section_size = most_head;
    settings.qpack_max_dtable_capacity = 0;
    settings.qpack_encoder_max_dtable_capacity = 0;
    settings.qpack_blocked_streams = 0;
    const nghttp3_callbacks calls = Http3Calls::all();
    const auto begin =
        is_server ? nghttp3_conn_server_new_versioned : nghttp3_conn_client_new_versioned;
    nghttp3_conn* conn = nullptr;
    if (begin(&conn, NGHTTP3_CALLBACKS_VERSION, &calls, NGHTTP3_SETTINGS_VERSION, &settings,
              &made->memory_->hooks, made.get()) != 0)
        return nullptr;
    made->conn_ = conn;
    if (!made->open_own_streams()) return nullptr;
    return made;
}

std::unique_ptr<Http3> Http3::server(StreamControl& control, Events& events, std::uint64_t streams,
                                     std::size_t most_head) {
    auto made = make(control, events, most_head, true);
    if (made == nullptr) return nullptr;
    made->streams_ = streams;
    nghttp3_conn_set_max_client_streams_bidi(made->conn_, streams);
    return made;
}

std::unique_ptr<Http3> Http3::client(StreamControl& control, Events& events,
                                     std::size_t most_head) {
    return make(control, events, most_head, false);
}

bool Http3::open_own_streams() {
    std::array<StreamId, 3> own{};
    for (StreamId& stream : own) {
        const auto opened = control_.open_uni_stream();
        if (!opened) return false;
        stream = *opened;
    }
    return is_usable() && nghttp3_conn_bind_control_stream(conn_, own[0]) == 0 &&
           nghttp3_conn_bind_qpack_streams(conn_, own[1], own[2]) == 0;
}

Http3::~Http3() {
    nghttp3_conn_del(conn_);
}

Application::Failure Http3::receive(StreamId stream, std::span<const std::uint8_t> bytes,
                                    bool is_end) {
    // A stream without its end may be a request, so its window is not opened again.
    if (!is_bidirectional(stream)) {
        if (bytes.size() > uni_left_) {
            was_flooded_ = true;
            return code_of(Http3Error::excessive_load);
        }
        uni_left_ -= bytes.size();
        control_.consumed_of(stream, bytes.size());
    }
    control_.consumed(bytes.size());
    if (!is_usable()) return {};
    const auto taken =
        nghttp3_conn_read_stream(conn_, stream, bytes.data(), bytes.size(), is_end ? 1 : 0);
    return taken < 0 ? failure_of(static_cast<int>(taken)) : Application::Failure{};
}

// Once both sides of it have ended, or were reset.
Application::Failure Http3::close(StreamId stream) {
    if (!is_usable()) return {};
    if (streams_ > 0 && is_client_initiated(stream) && is_bidirectional(stream))
        nghttp3_conn_set_max_client_streams_bidi(conn_, ++streams_);
    const int error = nghttp3_conn_close_stream(conn_, stream, code_of(Http3Error::no_error));
    return error == 0 || error == NGHTTP3_ERR_STREAM_NOT_FOUND ? Application::Failure{}
                                                               : failure_of(error);
}

std::optional<Application::Output> Http3::next_output() {
    if (!is_usable()) return std::nullopt;
    StreamId stream = -1;
    int is_end = 0;
    nghttp3_vec part{};
    const auto count = nghttp3_conn_writev_stream(conn_, &stream, &is_end, &part, 1);
    if (count < 0 || stream < 0) return std::nullopt;  // negative: its memory is used
    return Application::Output{stream, {part.base, count == 0 ? 0 : part.len}, is_end != 0};
}

void Http3::sent(StreamId stream, std::size_t bytes) {
    if (is_usable()) (void)nghttp3_conn_add_write_offset(conn_, stream, bytes);
}

void Http3::blocked(StreamId stream) {
    if (is_usable()) nghttp3_conn_block_stream(conn_, stream);
}

void Http3::unblocked(StreamId stream) {
    if (is_usable()) (void)nghttp3_conn_unblock_stream(conn_, stream);
}

Application::Failure Http3::acknowledged(StreamId stream, std::uint64_t bytes) {
    if (!is_usable()) return {};
    const int error = nghttp3_conn_add_ack_offset(conn_, stream, bytes);
    return error == 0 || error == NGHTTP3_ERR_STREAM_NOT_FOUND ? Application::Failure{}
                                                               : failure_of(error);
}

void Http3::shut(StreamId stream) {
    if (is_usable()) nghttp3_conn_shutdown_stream_write(conn_, stream);
}

bool Http3::respond(StreamId stream, std::span<const Http3Field> head, bool has_content) {
    if (!is_usable()) return false;
    const auto [fields, count] = fields_of(head);
    const nghttp3_data_reader reader{Http3Calls::read_content};
    return nghttp3_conn_submit_response(conn_, stream, fields.data(), count,
                                        has_content ? &reader : nullptr) == 0;
}

bool Http3::request(StreamId stream, std::span<const Http3Field> head) {
    if (!is_usable()) return false;
    const auto [fields, count] = fields_of(head);
    const nghttp3_data_reader reader{Http3Calls::read_content};
    return nghttp3_conn_submit_request(conn_, stream, fields.data(), count, &reader, nullptr) == 0;
}

void Http3::ignore(StreamId stream) {
    if (is_usable()) (void)nghttp3_conn_shutdown_stream_read(conn_, stream);
}

void Http3::send_away() {
    if (is_usable()) (void)nghttp3_conn_submit_shutdown_notice(conn_);
}

}  // namespace steer::quic
