#include "client.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <boost/test/unit_test.hpp>

#include "matchers/prefix/ip_address.h"

namespace steer::quic::test {
namespace {

constexpr const char* kPriority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE";

Client& self(void* user) {
    return *static_cast<Client*>(user);
}

ngtcp2_path path_of(QuicPath& path) {
    return {
        {path.local.get(), path.local.length}, {path.remote.get(), path.remote.length}, nullptr};
}

}  // namespace

struct Client::Calls {
    static int completed(ngtcp2_conn*, void* user) {
        self(user).is_complete = true;
        self(user).is_resumed = gnutls_session_is_resumed(self(user).session_) != 0;
        return 0;
    }
    static int receive(ngtcp2_conn* conn, std::uint32_t flags, std::int64_t stream, std::uint64_t,
                       const std::uint8_t* data, std::size_t length, void* user, void*) {
        Stream& one = self(user).streams[stream];
        one.received.insert(one.received.end(), data, data + length);
        one.is_ended = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
        ngtcp2_conn_extend_max_stream_offset(conn, stream, length);
        ngtcp2_conn_extend_max_offset(conn, length);
        return 0;
    }
    static int stream_reset(ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t code,
                            void* user, void*) {
        self(user).streams[stream].reset = code;
        return 0;
    }
    static int token(ngtcp2_conn*, const ngtcp2_vec* token, void* user) {
        self(user).token.assign(token->base, token->base + token->len);
        return 0;
    }
    static int retry(ngtcp2_conn* conn, const ngtcp2_pkt_hd* head, void* user) {
        ++self(user).retries;
        return ngtcp2_crypto_recv_retry_cb(conn, head, user);
    }
    static int versions(ngtcp2_conn*, const ngtcp2_pkt_hd*, const std::uint32_t* offered,
                        std::size_t count, void* user) {
        self(user).versions.assign(offered, offered + count);
        return 0;
    }
    static int stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
        self(user).has_reset = true;
        return 0;
    }
    static void random(std::uint8_t* out, std::size_t length, const ngtcp2_rand_ctx*) {
        gnutls_rnd(GNUTLS_RND_RANDOM, out, length);
    }
    static int new_id(ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t length,
                      void*) {
        std::array<std::uint8_t, NGTCP2_MAX_CIDLEN> bytes{};
        gnutls_rnd(GNUTLS_RND_RANDOM, bytes.data(), length);
        ngtcp2_cid_init(id, bytes.data(), length);
        gnutls_rnd(GNUTLS_RND_RANDOM, token, NGTCP2_STATELESS_RESET_TOKENLEN);
        return 0;
    }
    static int on_ticket(gnutls_session_t session, unsigned, unsigned, unsigned,
                         const gnutls_datum_t*) {
        auto* const ref = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
        gnutls_datum_t data{};
        if (gnutls_session_get_data2(session, &data) == 0) {
            self(ref->user_data).ticket.assign(data.data, data.data + data.size);
            gnutls_free(data.data);
        }
        return 0;
    }
};

Client::Client(const Settings& settings, std::uint64_t now) {
    path_.local = stream::SocketAddress(IpAddress::parse(settings.address).value(), settings.port);
    path_.remote = stream::SocketAddress(IpAddress::parse("192.0.2.1").value(), 853);
    ref_ = {[](ngtcp2_crypto_conn_ref* ref) { return self(ref->user_data).conn_; }, this};
    BOOST_REQUIRE_EQUAL(gnutls_init(&session_, GNUTLS_CLIENT), 0);
    BOOST_REQUIRE_EQUAL(gnutls_certificate_allocate_credentials(&credentials_), 0);
    gnutls_priority_set_direct(session_, kPriority, nullptr);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_);
    if (settings.certificate != nullptr) {
        const auto datum = [](const std::string& text) {
            return gnutls_datum_t{reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
                                  static_cast<unsigned>(text.size())};
        };
        const auto chain = datum(settings.certificate->chain),
                   key = datum(settings.certificate->key);
        gnutls_certificate_set_x509_key_mem(credentials_, &chain, &key, GNUTLS_X509_FMT_PEM);
    }
    gnutls_server_name_set(session_, GNUTLS_NAME_DNS, "dns.example", 11);
    if (!settings.alpn.empty()) {
        const gnutls_datum_t alpn{
            reinterpret_cast<unsigned char*>(const_cast<char*>(settings.alpn.data())),
            static_cast<unsigned>(settings.alpn.size())};
        gnutls_alpn_set_protocols(session_, &alpn, 1, 0);
    }
    ngtcp2_crypto_gnutls_configure_client_session(session_);
    gnutls_session_set_ptr(session_, &ref_);
    gnutls_handshake_set_hook_function(session_, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET,
                                       GNUTLS_HOOK_POST, Calls::on_ticket);
    if (!settings.ticket.empty())
        gnutls_session_set_data(session_, settings.ticket.data(), settings.ticket.size());

    ngtcp2_callbacks calls{};
    calls.client_initial = ngtcp2_crypto_client_initial_cb;
    calls.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    calls.encrypt = ngtcp2_crypto_encrypt_cb;
    calls.decrypt = ngtcp2_crypto_decrypt_cb;
    calls.hp_mask = ngtcp2_crypto_hp_mask_cb;
    calls.update_key = ngtcp2_crypto_update_key_cb;
    calls.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    calls.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    calls.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
    calls.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    calls.recv_retry = Calls::retry;
    calls.handshake_completed = Calls::completed;
    calls.recv_stream_data = Calls::receive;
    calls.stream_reset = Calls::stream_reset;
    calls.recv_new_token = Calls::token;
    calls.recv_version_negotiation = Calls::versions;
    calls.recv_stateless_reset = Calls::stateless_reset;
    calls.rand = Calls::random;
    calls.get_new_connection_id = Calls::new_id;

    ngtcp2_settings how;
    ngtcp2_settings_default(&how);
    how.initial_ts = now;
    how.token = {const_cast<std::uint8_t*>(settings.token.data()), settings.token.size()};
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.initial_max_stream_data_bidi_local = 65'537;
    params.initial_max_data = 1 << 20;
    params.initial_max_streams_uni = 3;
    params.initial_max_stream_data_uni = 65'537;
    params.active_connection_id_limit = 4;
    params.max_idle_timeout = 600 * NGTCP2_SECONDS;
    ngtcp2_cid source{}, destination{};
    Calls::new_id(nullptr, &source, std::array<std::uint8_t, 16>{}.data(), 8, nullptr);
    Calls::new_id(nullptr, &destination, std::array<std::uint8_t, 16>{}.data(), 16, nullptr);
    const ngtcp2_path path = path_of(path_);
    BOOST_REQUIRE_EQUAL(
        ngtcp2_conn_client_new(&conn_, &destination, &source, &path, settings.version, &calls, &how,
                               &params, nullptr, this),
        0);
    ngtcp2_conn_set_tls_native_handle(conn_, session_);
}

Client::~Client() {
    ngtcp2_conn_del(conn_);
    gnutls_deinit(session_);
    gnutls_certificate_free_credentials(credentials_);
}

std::int64_t Client::send(const Bytes& bytes, bool is_end) {
    std::int64_t stream = -1;
    BOOST_REQUIRE_EQUAL(ngtcp2_conn_open_bidi_stream(conn_, &stream, nullptr), 0);
    more(stream, bytes, is_end);
    return stream;
}

std::int64_t Client::open_uni_stream() {
    std::int64_t stream = -1;
    BOOST_REQUIRE_EQUAL(ngtcp2_conn_open_uni_stream(conn_, &stream, nullptr), 0);
    return stream;
}

void Client::more(std::int64_t stream, const Bytes& bytes, bool is_end) {
    if (!bytes.empty() || is_end) out_.push_back({stream, bytes, 0, is_end});
}

void Client::reset(std::int64_t stream, std::uint64_t code) {
    ngtcp2_conn_shutdown_stream(conn_, stream, code);
}

std::vector<Datagram> Client::write(std::uint64_t now) {
    std::vector<Datagram> all;
    for (;;) {
        Bytes packet(1452);
        ngtcp2_path_storage to;
        ngtcp2_path_storage_zero(&to);
        ngtcp2_pkt_info info{};
        Out* const next = is_complete && !out_.empty() ? &out_.front() : nullptr;
        ngtcp2_vec part{};
        if (next != nullptr)
            part = {next->bytes.data() + next->sent, next->bytes.size() - next->sent};
        ngtcp2_ssize taken = -1;
        const auto length = ngtcp2_conn_writev_stream(
            conn_, &to.path, &info, packet.data(), packet.size(), &taken,
            next != nullptr && next->is_end ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0U,
            next != nullptr ? next->stream : -1, &part, next != nullptr ? 1 : 0, now);
        if (taken >= 0) {
            next->sent += static_cast<std::size_t>(taken);
            if (next->sent == next->bytes.size()) {
                kept_.push_back(std::move(next->bytes));  // until it is acknowledged
                out_.pop_front();
            }
        }
        if (length < 0)
            BOOST_TEST_MESSAGE("a client's write: " << ngtcp2_strerror(static_cast<int>(length)));
        if (length <= 0) break;
        packet.resize(static_cast<std::size_t>(length));
        all.push_back({path_, std::move(packet)});
    }
    return all;
}

void Client::read(const Datagram& datagram, std::uint64_t now) {
    ngtcp2_pkt_info info{};
    const ngtcp2_path path = path_of(path_);
    const int error = ngtcp2_conn_read_pkt(conn_, &path, &info, datagram.bytes.data(),
                                           datagram.bytes.size(), now);
    if (error != 0) BOOST_TEST_MESSAGE("a client's read: " << ngtcp2_strerror(error));
    if (error == NGTCP2_ERR_DRAINING && !has_reset) {
        ngtcp2_connection_close_error why;
        ngtcp2_conn_get_connection_close_error(conn_, &why);
        end = why;
    }
}

void Client::move_to(std::uint16_t port, std::uint64_t now) {
    path_.local = stream::SocketAddress(path_.local.address(), port);
    const ngtcp2_path path = path_of(path_);
    BOOST_REQUIRE_EQUAL(ngtcp2_conn_initiate_immediate_migration(conn_, &path, now), 0);
}

void Client::expire(std::uint64_t now) {
    if (expiry() <= now) (void)ngtcp2_conn_handle_expiry(conn_, now);
}

}  // namespace steer::quic::test
