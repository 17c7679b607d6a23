#include "client.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
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
    // ngtcp2 does not say whose packet it is.
    static Client*& writing() {
        static Client* one = nullptr;
        return one;
    }
    static int encrypt(std::uint8_t* out, const ngtcp2_crypto_aead* aead,
                       const ngtcp2_crypto_aead_ctx* ctx, const std::uint8_t* text,
                       std::size_t length, const std::uint8_t* nonce, std::size_t nonce_length,
                       const std::uint8_t* head, std::size_t head_length) {
        constexpr unsigned kLong = 0x80, kTypes = 0x30, kNumberLength = 0x03;
        writing()->last_ = nullptr;
        const bool is_long = (head[0] & kLong) != 0;
        if (!is_long || (head[0] & kTypes) == 0) {
            Keys& keys = writing()->keys_[is_long ? 0 : 1];
            const std::size_t number_length = (head[0] & kNumberLength) + 1U;
            keys.aead = *aead;
            keys.aead_ctx = *ctx;
            keys.iv.assign(nonce, nonce + nonce_length);
            for (std::size_t i = 0; i < number_length; ++i)
                keys.iv[nonce_length - 1 - i] ^= head[head_length - 1 - i];
            keys.head.assign(head, head + head_length - number_length);
            writing()->last_ = &keys;
        }
        return ngtcp2_crypto_encrypt_cb(out, aead, ctx, text, length, nonce, nonce_length, head,
                                        head_length);
    }
    static int mask(std::uint8_t* out, const ngtcp2_crypto_cipher* hp,
                    const ngtcp2_crypto_cipher_ctx* ctx, const std::uint8_t* sample) {
        if (Keys* const keys = std::exchange(writing()->last_, nullptr)) {
            keys->hp = *hp;
            keys->hp_ctx = *ctx;
        }
        return ngtcp2_crypto_hp_mask_cb(out, hp, ctx, sample);
    }
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
    static int put_extension(gnutls_session_t session, gnutls_buffer_t into) {
        auto* const ref = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
        const Bytes& bytes = self(ref->user_data).extension_;
        gnutls_buffer_append_data(into, bytes.data(), bytes.size());
        return static_cast<int>(bytes.size());
    }
    static int take_extension(gnutls_session_t, const unsigned char*, std::size_t) { return 0; }
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
    extension_.resize(settings.more_hello);
    constexpr int kUnknown = 0xfade;  // reserved for private use (RFC 8447 7)
    if (settings.more_hello > 0)
        gnutls_session_ext_register(session_, "test", kUnknown, GNUTLS_EXT_ANY,
                                    Calls::take_extension, Calls::put_extension, nullptr, nullptr,
                                    nullptr, GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS);
    if (!settings.ticket.empty())
        gnutls_session_set_data(session_, settings.ticket.data(), settings.ticket.size());

    ngtcp2_callbacks calls{};
    calls.client_initial = ngtcp2_crypto_client_initial_cb;
    calls.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    calls.encrypt = Calls::encrypt;
    calls.decrypt = ngtcp2_crypto_decrypt_cb;
    calls.hp_mask = Calls::mask;
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
    Calls::writing() = this;
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

// RFC 9001 5. Numbers are far behind those of ngtcp2.
Datagram Client::forge(const Bytes& frames, Space space) {
    constexpr std::uint64_t kFirst = 1 << 20;
    constexpr std::size_t kNumberLength = 4, kTag = 16, kLeast = 1200;
    Keys& keys = keys_[static_cast<std::size_t>(space)];
    BOOST_REQUIRE(!keys.iv.empty());
    const std::uint64_t number = kFirst + keys.next++;
    Bytes packet = keys.head, text = frames, nonce = keys.iv;
    packet[0] = static_cast<std::uint8_t>(packet[0] | (kNumberLength - 1));
    if (space == Space::initial) {
        text.resize(std::max(text.size(), kLeast - packet.size() - kNumberLength - kTag));
        // The length is the last field of the head. ngtcp2 writes it in four bytes.
        const std::size_t length = kNumberLength + text.size() + kTag;
        packet[packet.size() - 2] = static_cast<std::uint8_t>(length >> 8);
        packet[packet.size() - 1] = static_cast<std::uint8_t>(length);
    }
    text.resize(std::max(text.size(), kNumberLength));
    const std::size_t number_at = packet.size();
    for (std::size_t i = 0; i < kNumberLength; ++i) {
        const auto byte = static_cast<std::uint8_t>(number >> 8 * (kNumberLength - 1 - i));
        packet.push_back(byte);
        nonce[nonce.size() - kNumberLength + i] ^= byte;
    }
    Bytes sealed(text.size() + kTag);
    BOOST_REQUIRE_EQUAL(
        ngtcp2_crypto_encrypt(sealed.data(), &keys.aead, &keys.aead_ctx, text.data(), text.size(),
                              nonce.data(), nonce.size(), packet.data(), packet.size()),
        0);
    std::array<std::uint8_t, NGTCP2_HP_MASKLEN> mask{};
    BOOST_REQUIRE_EQUAL(ngtcp2_crypto_hp_mask(mask.data(), &keys.hp, &keys.hp_ctx, sealed.data()),
                        0);
    packet[0] ^= static_cast<std::uint8_t>(mask[0] & (space == Space::initial ? 0x0f : 0x1f));
    for (std::size_t i = 0; i < kNumberLength; ++i)
        packet[number_at + i] ^= mask[1 + i];
    packet.insert(packet.end(), sealed.begin(), sealed.end());
    return {path_, std::move(packet)};
}

void Client::read(const Datagram& datagram, std::uint64_t now) {
    Calls::writing() = this;
    last_ = nullptr;
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
