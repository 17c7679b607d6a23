#include "http3_test_client.h"

#include <boost/test/unit_test.hpp>

namespace steer::quic::test {
namespace {

std::string text_of(nghttp3_rcbuf* buffer) {
    const nghttp3_vec bytes = nghttp3_rcbuf_get_buf(buffer);
    return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

std::uint8_t* bytes_of(const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

struct Http3TestClient::Calls {
    static Http3TestClient& self(void* user) { return *static_cast<Http3TestClient*>(user); }
    static int field(nghttp3_conn*, std::int64_t stream, std::int32_t, nghttp3_rcbuf* name,
                     nghttp3_rcbuf* value, std::uint8_t, void* user, void*) {
        self(user).answers[stream].fields[text_of(name)] = text_of(value);
        return 0;
    }
    static int content(nghttp3_conn*, std::int64_t stream, const std::uint8_t* data,
                       std::size_t length, void* user, void*) {
        Bytes& all = self(user).answers[stream].content;
        all.insert(all.end(), data, data + length);
        return 0;
    }
    static int ended(nghttp3_conn*, std::int64_t stream, void* user, void*) {
        self(user).answers[stream].is_ended = true;
        return 0;
    }
    static int shutdown(nghttp3_conn*, std::int64_t, void* user) {
        self(user).is_sent_away = true;
        return 0;
    }
    static nghttp3_ssize read(nghttp3_conn*, std::int64_t stream, nghttp3_vec* parts, std::size_t,
                              std::uint32_t* flags, void* user, void*) {
        Content& content = self(user).contents_[stream];
        if (content.is_read) return NGHTTP3_ERR_WOULDBLOCK;
        content.is_read = true;
        if (content.has_end) *flags |= NGHTTP3_DATA_FLAG_EOF;
        parts[0] = {content.bytes.data(), content.bytes.size()};
        return content.bytes.empty() ? 0 : 1;
    }
};

Http3TestClient::Http3TestClient(Client& client) : client_(client) {
    nghttp3_callbacks calls{};
    calls.recv_header = Calls::field;
    calls.recv_data = Calls::content;
    calls.end_stream = Calls::ended;
    calls.shutdown = Calls::shutdown;
    nghttp3_settings settings;
    nghttp3_settings_default(&settings);
    BOOST_REQUIRE_EQUAL(nghttp3_conn_client_new(&conn_, &calls, &settings, nullptr, this), 0);
    const auto control = client_.open_uni_stream(), encoder = client_.open_uni_stream(),
               decoder = client_.open_uni_stream();
    BOOST_REQUIRE_EQUAL(nghttp3_conn_bind_control_stream(conn_, control), 0);
    BOOST_REQUIRE_EQUAL(nghttp3_conn_bind_qpack_streams(conn_, encoder, decoder), 0);
}

Http3TestClient::~Http3TestClient() {
    nghttp3_conn_del(conn_);
}

std::int64_t Http3TestClient::get(const std::string& path) {
    return request(
        {{":method", "GET"}, {":scheme", "https"}, {":authority", "dns.example"}, {":path", path}});
}

std::int64_t Http3TestClient::post(const std::string& path, const Bytes& content,
                                   const std::string& type) {
    return request({{":method", "POST"},
                    {":scheme", "https"},
                    {":authority", "dns.example"},
                    {":path", path},
                    {"content-type", type},
                    {"content-length", std::to_string(content.size())}},
                   content);
}

std::int64_t Http3TestClient::request(const Fields& fields, const Bytes& content, bool has_end) {
    const std::int64_t stream = client_.send({}, false);
    std::vector<nghttp3_nv> all;
    for (const auto& [name, value] : fields)
        all.push_back(
            {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP3_NV_FLAG_NONE});
    contents_[stream] = {content, false, has_end};
    const nghttp3_data_reader reader{Calls::read};
    BOOST_REQUIRE_EQUAL(
        nghttp3_conn_submit_request(conn_, stream, all.data(), all.size(),
                                    content.empty() && has_end ? nullptr : &reader, nullptr),
        0);
    return stream;
}

void Http3TestClient::turn() {
    for (auto& [id, stream] : client_.streams) {
        std::size_t& taken = taken_[id];
        if (taken == stream.received.size() && !stream.is_ended) continue;
        const auto done =
            nghttp3_conn_read_stream(conn_, id, stream.received.data() + taken,
                                     stream.received.size() - taken, stream.is_ended ? 1 : 0);
        BOOST_TEST(done >= 0);
        taken = stream.received.size();
        stream.is_ended = false;  // given once
    }
    for (;;) {
        std::int64_t stream = -1;
        int is_end = 0;
        nghttp3_vec part{};
        const auto count = nghttp3_conn_writev_stream(conn_, &stream, &is_end, &part, 1);
        BOOST_REQUIRE_GE(count, 0);
        if (stream < 0) return;
        const std::size_t length = count > 0 ? part.len : 0;
        client_.more(stream, Bytes(part.base, part.base + length), is_end != 0);
        BOOST_REQUIRE_EQUAL(nghttp3_conn_add_write_offset(conn_, stream, length), 0);
    }
}

}  // namespace steer::quic::test
