// Shared by HTTP/2 for clients and for upstreams: nghttp2's C callbacks, forwarded to members of
// the class that owns the session; options; fields.
//
// The owner has
//     void on_header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
//     void on_content(std::int32_t id, std::span<const std::uint8_t> bytes);
//     void on_frame(const nghttp2_frame& frame);
//     void on_closed(std::int32_t id, std::uint32_t error);
//     // The next bytes to send, at most `most`, each once; empty: none.
//     std::span<const std::uint8_t> take_content(std::int32_t id, std::size_t most, bool& last);
// and sets further callbacks of its own.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace steer::stream {

inline constexpr std::size_t kFieldOverhead = 32;  // of each field in a head (RFC 9113 6.5.2)

// `name` must be a literal: it is not copied. `value` is copied when it is submitted.
inline nghttp2_nv http2_field(std::string_view name, std::string_view value,
                              std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(),
            static_cast<std::uint8_t>(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME)};
}

template <class Owner>
struct Http2Calls {
    static Owner& self(void* user) { return *static_cast<Owner*>(user); }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_length, const std::uint8_t* value,
                         std::size_t value_length, std::uint8_t, void* user) {
        self(user).on_header(*frame, {reinterpret_cast<const char*>(name), name_length},
                             {reinterpret_cast<const char*>(value), value_length});
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t length, void* user) {
        self(user).on_content(id, {bytes, length});
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        self(user).on_frame(*frame);
        return 0;
    }
    static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
        self(user).on_closed(id, error);
        return 0;
    }
    static ssize_t read(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                        std::uint32_t* flags, nghttp2_data_source*, void* user) {
        bool last = false;
        const auto content = self(user).take_content(id, room, last);
        if (content.empty()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        std::memcpy(into, content.data(), content.size());
        if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(content.size());
    }

    // Exists for the process's life.
    static nghttp2_session_callbacks* make() {
        nghttp2_session_callbacks* c = nullptr;
        nghttp2_session_callbacks_new(&c);
        nghttp2_session_callbacks_set_on_header_callback(c, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
        return c;
    }
    static nghttp2_option* make_options() {
        constexpr std::size_t kOutboundAcks = 100;
        nghttp2_option* o = nullptr;
        nghttp2_option_new(&o);
        nghttp2_option_set_max_outbound_ack(o, kOutboundAcks);
        return o;
    }
};

}  // namespace steer::stream
