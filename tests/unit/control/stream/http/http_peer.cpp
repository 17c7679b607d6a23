#include "http/http_peer.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>

namespace steer::test {

struct Http2Peer::Calls {
    static Http2Peer& self(void* user) { return *static_cast<Http2Peer*>(user); }
    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_length, const std::uint8_t* value,
                         std::size_t value_length, std::uint8_t, void* user) {
        HttpResponse& r = self(user).responses[frame->hd.stream_id];
        const std::string key(reinterpret_cast<const char*>(name), name_length);
        const std::string text(reinterpret_cast<const char*>(value), value_length);
        if (key == ":status") {
            r.status = std::stoi(text);
        } else {
            r.fields[key] = text;
        }
        return 0;
    }
    static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                       const std::uint8_t* bytes, std::size_t length, void* user) {
        Bytes& content = self(user).responses[id].content;
        content.insert(content.end(), bytes, bytes + length);
        if (self(user).consumes) nghttp2_session_consume(session, id, length);
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
        self(user).responses[id].closed = true;
        self(user).responses[id].error = error;
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_GOAWAY)
            self(user).goaway = static_cast<int>(frame->goaway.error_code);
        if (frame->hd.type == NGHTTP2_SETTINGS) {
            for (std::size_t i = 0; i < frame->settings.niv; ++i)
                self(user).settings[frame->settings.iv[i].settings_id] =
                    frame->settings.iv[i].value;
        }
        return 0;
    }
    static ssize_t read(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                        std::uint32_t* flags, nghttp2_data_source*, void* user) {
        auto& [left, finished] = self(user).contents_[id];
        const std::size_t n = std::min(room, left.size());
        std::memcpy(into, left.data(), n);
        left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(n));
        if (n == 0 && !finished) return NGHTTP2_ERR_DEFERRED;
        if (left.empty() && finished) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(n);
    }
};

Http2Peer::Http2Peer(Peer peer, std::uint32_t window) : peer_(std::move(peer)) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_header_callback(calls, Calls::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, Calls::on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, Calls::on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, Calls::on_frame);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_session_client_new2(&session_, calls, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry window_size{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window_size, 1);
}

std::int32_t Http2Peer::request(const Fields& fields, const Bytes& content, bool finished) {
    std::vector<nghttp2_nv> head;
    for (const auto& [name, value] : fields) {
        const auto bytes = [](const std::string& text) {
            return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
        };
        head.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_FLAG_NONE});
    }
    nghttp2_data_provider provider{{}, Calls::read};
    const bool has_content = !content.empty() || !finished;
    const auto id = nghttp2_submit_request(session_, nullptr, head.data(), head.size(),
                                           has_content ? &provider : nullptr, nullptr);
    BOOST_REQUIRE(id > 0);
    contents_[id] = {content, finished};
    return id;
}

std::int32_t Http2Peer::get(const std::string& path, const Fields& more) {
    Fields fields{{":method", "GET"}, {":scheme", "https"}, {":authority", "dns"}, {":path", path}};
    fields.insert(fields.end(), more.begin(), more.end());
    return request(fields);
}

std::int32_t Http2Peer::post(const Bytes& query, const Fields& more, const std::string& type) {
    Fields fields{{":method", "POST"},
                  {":scheme", "https"},
                  {":authority", "dns"},
                  {":path", "/dns-query"},
                  {"content-type", type}};
    fields.insert(fields.end(), more.begin(), more.end());
    return request(fields, query);
}

void Http2Peer::reset(std::int32_t stream, std::uint32_t error) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, error);
}

void Http2Peer::ping() {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

bool Http2Peer::turn() {
    for (;;) {
        if (unsent_.empty()) {
            const std::uint8_t* bytes = nullptr;
            const auto n = nghttp2_session_mem_send(session_, &bytes);
            if (n <= 0) break;
            unsent_.assign(bytes, bytes + n);
        }
        if (!peer_.send(unsent_)) break;
        unsent_.clear();
    }
    const bool open = peer_.receive();
    const Bytes in = std::exchange(peer_.in, {});
    nghttp2_session_mem_recv(session_, in.data(), in.size());
    return open;
}

Bytes http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  const Bytes& payload) {
    Bytes frame(9 + payload.size());
    dns::store_be32(frame.data(), static_cast<std::uint32_t>(payload.size()) << 8 | type);
    frame[4] = flags;
    dns::store_be32(&frame[5], stream);
    std::ranges::copy(payload, frame.begin() + 9);
    return frame;
}

Bytes bytes_of_text(std::string_view text) {
    return {text.begin(), text.end()};
}

}  // namespace steer::test
