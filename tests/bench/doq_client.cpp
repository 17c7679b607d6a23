#include "bench/doq_client.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <netinet/udp.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "bench/fail.h"
#include "bench/http3_frames.h"

namespace steer::bench {
namespace {

constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:%DISABLE_TLS13_COMPAT_MODE";
constexpr std::size_t kLargestDatagram = 1452;
constexpr std::uint64_t kStreamBytes = 65'537, kAllBytes = 1 << 20;
constexpr std::uint64_t kIdleTime = 60 * NGTCP2_SECONDS;
constexpr std::uint8_t kLongForm = 0x80, kTypeMask = 0x30, kRetry = 0x30;

// Certificates are not verified: one for all.
gnutls_certificate_credentials_t credentials() {
    static const gnutls_certificate_credentials_t kOne = [] {
        gnutls_certificate_credentials_t made = nullptr;
        if (gnutls_certificate_allocate_credentials(&made) < 0) fail("GnuTLS has no memory");
        return made;
    }();
    return kOne;
}

gnutls_priority_t priority() {
    static const gnutls_priority_t kOne = [] {
        gnutls_priority_t made = nullptr;
        if (gnutls_priority_init(&made, kPriority, nullptr) < 0) fail("GnuTLS has no TLS 1.3");
        return made;
    }();
    return kOne;
}

DoqClient& self(void* user) {
    return *static_cast<DoqClient*>(user);
}

int open_socket(const sockaddr_in& server, in_addr source) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr = source;
    const int on = 1;
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
        ::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
        fail(std::string("a socket cannot be opened: ") + std::strerror(errno));
    (void)::setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    return fd;
}

}  // namespace

std::uint64_t monotonic_ns() {
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<std::uint64_t>(at.tv_sec) * NGTCP2_SECONDS +
           static_cast<std::uint64_t>(at.tv_nsec);
}

struct DoqClient::Calls {
    static int completed(ngtcp2_conn*, void* user) {
        DoqClient& c = self(user);
        c.is_open_ = true;
        c.is_resumed_ = gnutls_session_is_resumed(c.session_) != 0;
        if (std::int64_t control = -1; is_http3(c.settings_.alpn) &&
                                       ngtcp2_conn_open_uni_stream(c.conn_, &control, nullptr) == 0)
            c.output_.push_front({control, kHttp3Control, false});
        if (std::int64_t uni = -1;
            !c.settings_.uni.empty() && ngtcp2_conn_open_uni_stream(c.conn_, &uni, nullptr) == 0)
            c.output_.push_back({uni, c.settings_.uni, false});
        c.owner_.on_open(c);
        return 0;
    }
    static int confirmed(ngtcp2_conn*, void* user) {
        self(user).is_confirmed_ = true;
        return 0;
    }
    static int receive(ngtcp2_conn* conn, std::uint32_t flags, std::int64_t stream, std::uint64_t,
                       const std::uint8_t* data, std::size_t length, void* user, void*) {
        DoqClient& c = self(user);
        ngtcp2_conn_extend_max_offset(conn, length);
        if ((stream & 2) != 0) ngtcp2_conn_extend_max_stream_offset(conn, stream, length);
        const auto at = c.streams_.find(stream);
        if (at == c.streams_.end()) return 0;
        at->second.received.insert(at->second.received.end(), data, data + length);
        if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) == 0) return 0;
        const Stream done = std::move(at->second);
        c.streams_.erase(at);
        c.owner_.on_answer(c, done.tag, done.received);
        return 0;
    }
    static int token(ngtcp2_conn*, const ngtcp2_vec* token, void* user) {
        self(user).token_.assign(token->base, token->base + token->len);
        return 0;
    }
    static int stream_reset(ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t,
                            void* user, void*) {
        DoqClient& c = self(user);
        const auto at = c.streams_.find(stream);
        if (at == c.streams_.end()) return 0;
        const std::uint64_t tag = at->second.tag;
        c.streams_.erase(at);
        c.owner_.on_reset(c, tag);
        return 0;
    }
    static void random(std::uint8_t* out, std::size_t length, const ngtcp2_rand_ctx*) {
        gnutls_rnd(GNUTLS_RND_NONCE, out, length);
    }
    static int new_id(ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t length,
                      void*) {
        std::array<std::uint8_t, NGTCP2_MAX_CIDLEN> bytes{};
        gnutls_rnd(GNUTLS_RND_NONCE, bytes.data(), length);
        ngtcp2_cid_init(id, bytes.data(), length);
        gnutls_rnd(GNUTLS_RND_NONCE, token, NGTCP2_STATELESS_RESET_TOKENLEN);
        return 0;
    }
    static int on_ticket(gnutls_session_t session, unsigned, unsigned, unsigned,
                         const gnutls_datum_t*) {
        auto* const ref = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
        gnutls_datum_t data{};
        if (gnutls_session_get_data2(session, &data) == 0) {
            self(ref->user_data).ticket_.assign(data.data, data.data + data.size);
            gnutls_free(data.data);
        }
        return 0;
    }
    static ngtcp2_callbacks all() {
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
        calls.recv_retry = ngtcp2_crypto_recv_retry_cb;
        calls.handshake_completed = completed;
        calls.handshake_confirmed = confirmed;
        calls.recv_stream_data = receive;
        calls.stream_reset = stream_reset;
        calls.recv_new_token = token;
        calls.rand = random;
        calls.get_new_connection_id = new_id;
        return calls;
    }
};

DoqClient::DoqClient(Owner& owner, const Settings& settings) : owner_(owner), settings_(settings) {
    for (unsigned i = 0; i < settings.ports; ++i)
        sockets_.push_back(open_socket(settings.server, settings.source));
    socklen_t size = sizeof local_;
    ::getsockname(sockets_.front(), reinterpret_cast<sockaddr*>(&local_), &size);
    ref_ = {[](ngtcp2_crypto_conn_ref* ref) { return self(ref->user_data).conn_; }, this};
    const gnutls_datum_t alpn{
        reinterpret_cast<unsigned char*>(const_cast<char*>(settings_.alpn.data())),
        static_cast<unsigned>(settings_.alpn.size())};
    const unsigned early =
        settings.early != nullptr ? GNUTLS_ENABLE_EARLY_DATA | GNUTLS_NO_END_OF_EARLY_DATA : 0U;
    const Octets* const ticket =
        settings.early != nullptr ? &settings.early->ticket : settings.ticket;
    if (gnutls_init(&session_, GNUTLS_CLIENT | early) < 0 ||
        gnutls_priority_set(session_, priority()) < 0 ||
        gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials()) < 0 ||
        gnutls_alpn_set_protocols(session_, &alpn, 1, 0) < 0 ||
        ngtcp2_crypto_gnutls_configure_client_session(session_) != 0)
        fail("a TLS session cannot be made");
    gnutls_session_set_ptr(session_, &ref_);
    gnutls_handshake_set_hook_function(session_, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET,
                                       GNUTLS_HOOK_POST, Calls::on_ticket);
    if (ticket != nullptr && !ticket->empty())
        gnutls_session_set_data(session_, ticket->data(), ticket->size());

    ngtcp2_settings how;
    ngtcp2_settings_default(&how);
    how.initial_ts = monotonic_ns();
    how.max_tx_udp_payload_size = kLargestDatagram;
    if (settings.early != nullptr) {
        const Octets& token = settings.early->token;
        how.token = {const_cast<std::uint8_t*>(token.data()), token.size()};
    }
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.initial_max_stream_data_bidi_local = kStreamBytes;
    params.initial_max_data = kAllBytes;
    // A server of HTTP/3 needs them (gtlsserver, a judge of the handshakes).
    params.initial_max_streams_uni = 3;
    params.initial_max_stream_data_uni = kStreamBytes;
    params.max_idle_timeout = kIdleTime;
    ngtcp2_cid source{}, destination{};
    std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token{};
    (void)Calls::new_id(nullptr, &source, token.data(), 8, nullptr);
    (void)Calls::new_id(nullptr, &destination, token.data(), 16, nullptr);
    const ngtcp2_path at = path();
    const ngtcp2_callbacks calls = Calls::all();
    if (ngtcp2_conn_client_new(&conn_, &destination, &source, &at, NGTCP2_PROTO_VER_V1, &calls,
                               &how, &params, nullptr, this) != 0)
        fail("a QUIC connection cannot be made");
    ngtcp2_conn_set_tls_native_handle(conn_, session_);
    if (settings.early == nullptr) return;
    const Octets& bytes = settings.early->parameters;
    ngtcp2_transport_params theirs;
    if (ngtcp2_decode_transport_params(&theirs, NGTCP2_TRANSPORT_PARAMS_TYPE_ENCRYPTED_EXTENSIONS,
                                       bytes.data(), bytes.size()) != 0)
        fail("the server's parameters of a connection before are wrong");
    ngtcp2_conn_set_early_remote_transport_params(conn_, &theirs);
}

DoqClient::Before DoqClient::before() const {
    Octets bytes(512);
    const auto length = ngtcp2_encode_transport_params(
        bytes.data(), bytes.size(), NGTCP2_TRANSPORT_PARAMS_TYPE_ENCRYPTED_EXTENSIONS,
        ngtcp2_conn_get_remote_transport_params(conn_));
    bytes.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return {ticket_, token_, bytes};
}

DoqClient::~DoqClient() {
    ngtcp2_conn_del(conn_);
    gnutls_deinit(session_);
    for (const int fd : sockets_)
        ::close(fd);
}

// ngtcp2 knows one path: the other ports are as those of a NAT that changes its mind.
ngtcp2_path DoqClient::path() {
    auto& remote = const_cast<sockaddr_in&>(settings_.server);
    return {{reinterpret_cast<sockaddr*>(&local_), sizeof local_},
            {reinterpret_cast<sockaddr*>(&remote), sizeof remote},
            nullptr};
}

bool DoqClient::ask(std::span<const std::uint8_t> stream, std::uint64_t tag) {
    std::int64_t id = -1;
    if (ngtcp2_conn_open_bidi_stream(conn_, &id, nullptr) != 0) return false;
    streams_[id].tag = tag;
    output_.push_back({id, stream, true});
    return true;
}

bool DoqClient::begin(std::span<const std::uint8_t> part) {
    std::int64_t id = -1;
    if (ngtcp2_conn_open_bidi_stream(conn_, &id, nullptr) != 0) return false;
    output_.push_back({id, part, false});
    begun_.push_back(id);
    return true;
}

void DoqClient::reset_begun() {
    constexpr std::uint64_t kCancelled = 3;  // RFC 9250 4.3
    for (const std::int64_t id : std::exchange(begun_, {}))
        (void)ngtcp2_conn_shutdown_stream(conn_, id, kCancelled);
}

template <class Take>
bool DoqClient::produce(const Take& take) {
    std::array<std::uint8_t, kLargestDatagram> room;
    ngtcp2_path_storage to;
    ngtcp2_path_storage_zero(&to);
    const std::uint64_t now = monotonic_ns();
    for (;;) {
        ngtcp2_pkt_info info{};
        Output* const next = (is_open_ || settings_.early != nullptr) && !output_.empty()
                                 ? &output_.front()
                                 : nullptr;
        ngtcp2_vec part{};
        std::uint32_t flags = 0;
        if (next != nullptr) {
            part = {const_cast<std::uint8_t*>(next->bytes.data()), next->bytes.size()};
            if (next->is_end) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
            if (!settings_.is_apart) flags |= NGTCP2_WRITE_STREAM_FLAG_MORE;
        }
        ngtcp2_ssize taken = -1;
        const auto length = ngtcp2_conn_writev_stream(
            conn_, &to.path, &info, room.data(), room.size(), &taken, flags,
            next != nullptr ? next->stream : -1, &part, next != nullptr ? 1 : 0, now);
        if (next != nullptr && taken >= 0) {
            next->bytes = next->bytes.subspan(static_cast<std::size_t>(taken));
            if (next->bytes.empty()) output_.pop_front();
        }
        if (length == NGTCP2_ERR_WRITE_MORE) continue;
        if (length == NGTCP2_ERR_STREAM_NOT_FOUND || length == NGTCP2_ERR_STREAM_SHUT_WR) {
            output_.pop_front();
            continue;
        }
        if (length < 0 && length != NGTCP2_ERR_STREAM_DATA_BLOCKED) return false;
        if (length <= 0) break;
        take(std::span<const std::uint8_t>(room).first(static_cast<std::size_t>(length)));
    }
    // No pacing: ngtcp2_conn_update_pkt_tx_time() would begin it.
    return true;
}

bool DoqClient::write() {
    return produce([this](std::span<const std::uint8_t> datagram) { send(datagram); });
}

std::vector<Octets> DoqClient::datagrams() {
    std::vector<Octets> all;
    (void)produce(
        [&](std::span<const std::uint8_t> one) { all.emplace_back(one.begin(), one.end()); });
    return all;
}

bool DoqClient::send(std::span<const std::uint8_t> datagram) {
    // Before the handshake is complete, a client stays where it is (RFC 9000 9).
    const int fd = sockets_[is_confirmed_ ? next_socket_++ % sockets_.size() : 0];
    return ::send(fd, datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0;
}

bool DoqClient::read(int fd) {
    static std::array<std::uint8_t, 65'536> room;
    for (;;) {
        iovec part{room.data(), room.size()};
        alignas(cmsghdr) std::array<char, 64> control{};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const auto got = ::recvmsg(fd, &message, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == ECONNREFUSED)) continue;
        if (got <= 0) return true;
        int each = static_cast<int>(got);
        for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
            if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
                std::memcpy(&each, CMSG_DATA(c), sizeof each);
        }
        const std::uint64_t now = monotonic_ns();
        auto left = std::span<const std::uint8_t>(room).first(static_cast<std::size_t>(got));
        while (!left.empty()) {
            const auto one = left.first(std::min(left.size(), static_cast<std::size_t>(each)));
            left = left.subspan(one.size());
            if ((one[0] & kLongForm) == 0 || (one[0] & kTypeMask) != kRetry) has_answer_ = true;
            const ngtcp2_path at = path();
            ngtcp2_pkt_info info{};
            if (ngtcp2_conn_read_pkt(conn_, &at, &info, one.data(), one.size(), now) != 0)
                return false;
        }
    }
}

bool DoqClient::expire(std::uint64_t now) {
    if (expiry() > now) return true;
    return ngtcp2_conn_handle_expiry(conn_, now) == 0 && write();
}

void DoqClient::close() {
    std::array<std::uint8_t, kLargestDatagram> room;
    ngtcp2_path_storage to;
    ngtcp2_path_storage_zero(&to);
    ngtcp2_pkt_info info{};
    ngtcp2_connection_close_error why;
    ngtcp2_connection_close_error_default(&why);
    ngtcp2_connection_close_error_set_application_error(&why, 0, nullptr, 0);
    const auto length = ngtcp2_conn_write_connection_close(conn_, &to.path, &info, room.data(),
                                                           room.size(), &why, monotonic_ns());
    if (length > 0)
        send(std::span<const std::uint8_t>(room).first(static_cast<std::size_t>(length)));
}

std::vector<std::uint64_t> DoqClient::take_waiting() {
    std::vector<std::uint64_t> tags;
    for (const auto& [id, stream] : std::exchange(streams_, {}))
        tags.push_back(stream.tag);
    return tags;
}

}  // namespace steer::bench
