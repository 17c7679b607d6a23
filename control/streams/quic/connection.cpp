#include "control/streams/quic/connection.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "control/streams/quic/memory.h"
#include "control/streams/quic/ngtcp2_ids.h"

namespace steer::quic {

// What GnuTLS passes to ngtcp2's crypto library, and where ngtcp2 takes its memory.
struct Connection::Reference {
    ngtcp2_crypto_conn_ref ref{};
    ngtcp2_mem memory{};
};

namespace {

constexpr std::size_t kBatchBytes = 60 * 1024;  // of datagrams that leave in one call
// Of one turn, if the network lets it: a burst of the initial window (RFC 9002 7.7). Acknowledgments
// let more follow. ngtcp2's own pace needs a timer for each answer, and holds a handshake for 25 ms,
// by the round trip that it assumes before it has measured one.
constexpr std::size_t kMostDatagrams = 10;
constexpr unsigned kIdsOfPeer = 4;        // number of our ids that it may hold
constexpr unsigned kLateAnswers = 8;      // of an ending connection, ever rarer
constexpr Nanoseconds kEndingProbes = 3;  // probe timeouts that it stays (RFC 9000 10.2)

ngtcp2_path path_of(const QuicPath& path) {
    auto& from = const_cast<QuicPath&>(path);
    return {
        {from.local.get(), from.local.length}, {from.remote.get(), from.remote.length}, nullptr};
}

void copy_address(stream::SocketAddress& into, const ngtcp2_addr& from) {
    std::memcpy(&into.storage, from.addr, from.addrlen);
    into.length = from.addrlen;
}

QuicPath path_of(const ngtcp2_path& from) {
    QuicPath path;
    copy_address(path.local, from.local);
    copy_address(path.remote, from.remote);
    return path;
}

Connection& self(void* user) {
    return *static_cast<Connection*>(user);
}

}  // namespace

// ---- what ngtcp2 calls

struct Calls {
    // The connection is closed after ngtcp2 has returned: it may not be closed below.
    static int result(Connection& c, Application::Failure failure) {
        if (!c.failure_) c.failure_ = failure;
        return 0;
    }
    // nullptr: what comes now has no effect.
    static Application* application(Connection& c) {
        const bool is_failed = c.failure_ || c.has_no_protocol_ || c.account_.is_spent();
        return is_failed ? nullptr : c.application_.get();
    }

    static int handshake_completed(ngtcp2_conn*, void* user) {
        Connection& c = self(user);
        c.is_complete_ = true;
        if (!c.begin_application()) return 0;
        send_ticket(c.session_.get());
        if (const auto token = c.host_.later_token(c.path()); !token.empty())
            (void)ngtcp2_conn_submit_new_token(c.conn_, token.data(), token.size());
        return 0;
    }

    static int receive_crypto(ngtcp2_conn* conn, ngtcp2_crypto_level level, std::uint64_t offset,
                              const std::uint8_t* data, std::size_t length, void* user) {
        Connection& c = self(user);
        const bool is_accepted =
            c.session_ != nullptr && (level != NGTCP2_CRYPTO_LEVEL_APPLICATION ||
                                      (!c.is_server_ && c.late_tls_.take_tickets({data, length})));
        if (!is_accepted) {
            ngtcp2_conn_set_tls_alert(conn, GNUTLS_A_UNEXPECTED_MESSAGE);
            return NGTCP2_ERR_CRYPTO;
        }
        c.charge_tls(kTlsPerByte * length);
        if (c.account_.is_spent()) return NGTCP2_ERR_NOMEM;
        return ngtcp2_crypto_recv_crypto_data_cb(conn, level, offset, data, length, user);
    }

    static int opened(ngtcp2_conn*, std::int64_t stream, void* user) {
        Connection& c = self(user);
        // A stream before the end of the handshake is early data: its application begins now.
        if (c.is_server_ && !c.begin_application()) return 0;
        Application* const to = application(c);
        return to == nullptr ? 0 : result(c, to->opened(stream));
    }

    static int receive(ngtcp2_conn*, std::uint32_t flags, std::int64_t stream, std::uint64_t,
                       const std::uint8_t* data, std::size_t length, void* user, void*) {
        Connection& c = self(user);
        Application* const to = application(c);
        if (to == nullptr) return 0;
        const bool is_end = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
        return result(c, to->receive(stream, {data, length}, is_end));
    }

    static int acknowledged(ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t length,
                            void* user, void*) {
        Connection& c = self(user);
        if (Application* const to = application(c)) to->acknowledged(stream, length);
        return 0;
    }

    static int stream_closed(ngtcp2_conn* conn, std::uint32_t, std::int64_t stream, std::uint64_t,
                             void* user, void*) {
        Connection& c = self(user);
        if (Application* const to = application(c)) (void)result(c, to->closed(stream));
        if (ngtcp2_conn_is_local_stream(conn, stream) != 0) return 0;
        if (is_bidirectional(stream)) c.allow_another();
        return 0;
    }

    static int stream_reset(ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t code,
                            void* user, void*) {
        Connection& c = self(user);
        Application* const to = application(c);
        return to == nullptr ? 0 : result(c, to->cancelled(stream, code));
    }

    static int unblocked(ngtcp2_conn*, std::int64_t stream, std::uint64_t, void* user, void*) {
        Connection& c = self(user);
        if (Application* const to = application(c)) to->unblocked(stream);
        return 0;
    }

    // ngtcp2 gives no object here. Its random numbers are for packet numbers and grease.
    static void random(std::uint8_t* out, std::size_t length, const ngtcp2_rand_ctx* context) {
        static_cast<Connection*>(context->native_handle)->host_.fill_random({out, length});
    }

    static int new_id(ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t length,
                      void* user) {
        Connection& c = self(user);
        const auto made = c.host_.new_id();
        if (made.id.length != length) return NGTCP2_ERR_CALLBACK_FAILURE;
        *id = cid_of(made.id);
        std::ranges::copy(made.reset_token, token);
        c.add_id(made.id);
        return 0;
    }

    static int removed_id(ngtcp2_conn*, const ngtcp2_cid* id, void* user) {
        Connection& c = self(user);
        const ConnectionId gone = id_of(*id);
        c.account_.give(std::erase(c.ids_, gone) * kIdBytes);
        c.host_.remove_id(gone);
        return 0;
    }

    static int path_validated(ngtcp2_conn*, std::uint32_t, const ngtcp2_path* path,
                              ngtcp2_path_validation_result how, void* user) {
        Connection& c = self(user);
        if (how == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS) c.host_.moved(c, path_of(*path));
        return 0;
    }

    // ---- of a client

    static int server_accepted(ngtcp2_conn*, void* user) {
        Connection& c = self(user);
        c.is_complete_ = true;
        if (!c.has_begun_) {
            if (!c.begin_application() && c.has_no_protocol_)
                c.reason_ = "it does not choose the protocol (ALPN)";
            return 0;
        }
        const bool is_accepted = is_early_accepted(c.session_.get());
        if (!is_accepted) (void)ngtcp2_conn_early_data_rejected(c.conn_);
        std::uint64_t refusal = 0;
        return c.host_.confirmed(c, is_accepted, refusal) ? 0 : result(c, refusal);
    }

    static int more_streams(ngtcp2_conn*, std::uint64_t, void* user) {
        Connection& c = self(user);
        if (c.application_ != nullptr) c.host_.streams_allowed(c);
        return 0;
    }

    static int token(ngtcp2_conn*, const ngtcp2_vec* token, void* user) {
        Connection& c = self(user);
        if (!c.failure_) c.host_.take_token(c, {token->base, token->base + token->len});
        return 0;
    }

    static int stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
        self(user).was_reset_ = true;
        return 0;
    }

    static int ticket(gnutls_session_t session, unsigned, unsigned, unsigned,
                      const gnutls_datum_t*) {
        const auto* const ref =
            static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
        Connection& c = self(ref->user_data);
        if (!c.failure_) c.host_.take_ticket(c, ticket_of(session));
        return 0;
    }

    // As ngtcp2's own function. But ngtcp2 0.12 ends the program by an assertion if GnuTLS gives the
    // secret of early data twice, which it does after a HelloRetryRequest.
    static int secrets(gnutls_session_t session, gnutls_record_encryption_level_t level,
                       const void* receiving, const void* sending, std::size_t length) {
        auto* const ref = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
        Connection& c = self(ref->user_data);
        if (level == GNUTLS_ENCRYPTION_LEVEL_EARLY && std::exchange(c.has_early_key_, true))
            return GNUTLS_E_HANDSHAKE_DURING_FALSE_START;  // any error ends the handshake
        const auto its_level = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(level);
        const auto install = [&](auto* function, const void* secret) {
            return secret == nullptr ||
                   function(c.conn_, nullptr, nullptr, nullptr, its_level,
                            static_cast<const std::uint8_t*>(secret), length) == 0;
        };
        return install(ngtcp2_crypto_derive_and_install_rx_key, receiving) &&
                       install(ngtcp2_crypto_derive_and_install_tx_key, sending)
                   ? 0
                   : GNUTLS_E_INTERNAL_ERROR;
    }

    static ngtcp2_conn* connection_of(ngtcp2_crypto_conn_ref* ref) {
        return static_cast<Connection*>(ref->user_data)->conn_;
    }

    static ngtcp2_callbacks common() {
        ngtcp2_callbacks all{};
        all.recv_crypto_data = receive_crypto;
        all.encrypt = ngtcp2_crypto_encrypt_cb;
        all.decrypt = ngtcp2_crypto_decrypt_cb;
        all.hp_mask = ngtcp2_crypto_hp_mask_cb;
        all.update_key = ngtcp2_crypto_update_key_cb;
        all.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
        all.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
        all.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
        all.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
        all.handshake_completed = handshake_completed;
        all.stream_open = opened;
        all.recv_stream_data = receive;
        all.acked_stream_data_offset = acknowledged;
        all.stream_close = stream_closed;
        all.stream_reset = stream_reset;
        all.extend_max_stream_data = unblocked;
        all.rand = random;
        all.get_new_connection_id = new_id;
        all.remove_connection_id = removed_id;
        all.path_validation = path_validated;
        return all;
    }
};

// ---- the beginning and the end

// False: the connection is to be closed.
bool Connection::begin_application() {
    if (has_begun_) return application_ != nullptr && !failure_;
    has_no_protocol_ = !has_protocol(session_.get());
    server_name_ = requested_name(session_.get());
    return ask_host();
}

bool Connection::begin_early() {
    return has_parameters_ && ask_host();
}

bool Connection::ask_host() {
    has_begun_ = true;
    if (has_no_protocol_) return false;
    std::uint64_t refusal = 0;
    application_ = host_.opened(*this, refusal);
    if (application_ == nullptr) failure_ = refusal;
    return application_ != nullptr;
}

std::vector<std::uint8_t> Connection::server_parameters() const {
    std::array<std::uint8_t, 512> bytes{};  // longer ones let no early data be sent
    const auto* const params = ngtcp2_conn_get_remote_transport_params(conn_);
    if (params == nullptr) return {};
    const auto length = ngtcp2_encode_transport_params(
        bytes.data(), bytes.size(), NGTCP2_TRANSPORT_PARAMS_TYPE_ENCRYPTED_EXTENSIONS, params);
    if (length <= 0) return {};
    return {bytes.begin(), bytes.begin() + length};
}

Connection::Connection(Host& host, std::uint64_t number, const TransportSettings& settings,
                       std::shared_ptr<const void> tls)
    : host_(host),
      number_(number),
      account_(host.memory(), settings.memory),
      tls_(std::move(tls)),
      reference_(std::make_unique<Reference>()) {
    reference_->ref = {Calls::connection_of, this};
    reference_->memory = hooks_of<ngtcp2_mem>(account_);
    account_.charge(kOwnBytes);
    charge_tls(kTlsBytes);
}

void Connection::charge_tls(std::size_t bytes) {
    account_.charge(bytes);
    tls_bytes_ += bytes;
}

void Connection::add_id(const ConnectionId& id) {
    account_.charge(kIdBytes);
    ids_.push_back(id);
    host_.add_id(id, *this);
}

void Connection::free_tls() {
    session_.reset();
    account_.give(std::exchange(tls_bytes_, 0));
}

void Connection::shrink() {
    application_.reset();
    if (conn_ != nullptr) ngtcp2_conn_del(std::exchange(conn_, nullptr));
    free_tls();
}

// Of both sides.
ngtcp2_settings Connection::common_settings(std::span<const std::uint8_t> token, Nanoseconds now) {
    ngtcp2_settings how;
    ngtcp2_settings_default(&how);
    how.initial_ts = now;
    how.handshake_timeout = kHandshakeTime;
    // No probes for more (RFC 8899). While a path with small packets is validated, a client that goes
    // back to the path before ends ngtcp2 0.12 by an assertion; no_pmtud has an assertion, too.
    how.max_tx_udp_payload_size = kSmallestMtu;
    how.rand_ctx.native_handle = this;
    how.token = {const_cast<std::uint8_t*>(token.data()), token.size()};
    return how;
}

std::unique_ptr<Connection> Connection::accept(Host& host, std::uint64_t number,
                                               const TransportSettings& settings,
                                               const std::shared_ptr<const ServerTls>& tls,
                                               const Opening& opening, const QuicPath& path,
                                               Nanoseconds now) {
    std::unique_ptr<Connection> made(new Connection(host, number, settings, tls));
    if (made->account_.is_spent()) return nullptr;
    made->is_server_ = true;
    made->session_ = tls->session(opening.may_send_early);
    if (made->session_ == nullptr) return nullptr;
    gnutls_session_set_ptr(made->session_.get(), &made->reference_->ref);
    gnutls_handshake_set_secret_function(made->session_.get(), Calls::secrets);

    ngtcp2_callbacks calls = Calls::common();
    calls.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;

    const ngtcp2_settings how = made->common_settings(opening.token, now);

    const Host::NewId own = host.new_id();
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.original_dcid = cid_of(opening.original_destination.value_or(opening.destination));
    params.retry_scid_present = opening.original_destination.has_value() ? 1 : 0;
    if (opening.original_destination) params.retry_scid = cid_of(opening.destination);
    params.initial_max_streams_bidi = settings.streams;
    params.initial_max_stream_data_bidi_remote = settings.stream_bytes;
    params.initial_max_streams_uni = settings.uni_streams;
    params.initial_max_stream_data_uni = settings.uni_bytes;
    params.initial_max_data = settings.bytes;
    params.max_idle_timeout = settings.idle_time;
    params.active_connection_id_limit = kIdsOfPeer;
    params.stateless_reset_token_present = 1;
    std::ranges::copy(own.reset_token, params.stateless_reset_token);

    const ngtcp2_cid client = cid_of(opening.source), ours = cid_of(own.id);
    const ngtcp2_path first = path_of(path);
    ngtcp2_conn* conn = nullptr;  // after a failure, ngtcp2 leaves a pointer to what it has freed
    if (ngtcp2_conn_server_new(&conn, &client, &ours, &first, opening.version, &calls, &how,
                               &params, &made->reference_->memory, made.get()) != 0)
        return nullptr;
    made->conn_ = conn;
    ngtcp2_conn_set_tls_native_handle(made->conn_, made->session_.get());
    made->streams_ = settings.streams;
    // The client's first packets all go to the id that it chose.
    for (const ConnectionId& id : {own.id, opening.destination})
        made->add_id(id);
    return made;
}

std::unique_ptr<Connection> Connection::connect(Host& host, std::uint64_t number,
                                                const TransportSettings& settings,
                                                const std::shared_ptr<const ClientTls>& tls,
                                                const Dial& dial, const QuicPath& path,
                                                Nanoseconds now) {
    std::unique_ptr<Connection> made(new Connection(host, number, settings, tls));
    if (made->account_.is_spent()) return nullptr;
    made->session_ = tls->session(dial.session);
    if (made->session_ == nullptr) return nullptr;
    gnutls_session_set_ptr(made->session_.get(), &made->reference_->ref);
    gnutls_handshake_set_secret_function(made->session_.get(), Calls::secrets);
    gnutls_handshake_set_hook_function(made->session_.get(), GNUTLS_HANDSHAKE_NEW_SESSION_TICKET,
                                       GNUTLS_HOOK_POST, Calls::ticket);

    ngtcp2_callbacks calls = Calls::common();
    calls.client_initial = ngtcp2_crypto_client_initial_cb;
    calls.recv_retry = ngtcp2_crypto_recv_retry_cb;
    calls.handshake_completed = Calls::server_accepted;
    calls.extend_max_local_streams_bidi = Calls::more_streams;
    calls.recv_new_token = Calls::token;
    calls.recv_stateless_reset = Calls::stateless_reset;

    const ngtcp2_settings how = made->common_settings(dial.token, now);

    // Without bidirectional streams of the peer.
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.initial_max_stream_data_bidi_local = settings.stream_bytes;
    params.initial_max_streams_uni = settings.uni_streams;
    params.initial_max_stream_data_uni = settings.uni_bytes;
    params.initial_max_data = settings.bytes;
    params.max_idle_timeout = settings.idle_time;
    params.active_connection_id_limit = kIdsOfPeer;

    const Host::NewId own = host.new_id(), first_id = host.new_id();
    const ngtcp2_cid ours = cid_of(own.id), theirs = cid_of(first_id.id);
    const ngtcp2_path first = path_of(path);
    ngtcp2_conn* conn = nullptr;
    if (ngtcp2_conn_client_new(&conn, &theirs, &ours, &first, NGTCP2_PROTO_VER_V1, &calls, &how,
                               &params, &made->reference_->memory, made.get()) != 0)
        return nullptr;
    made->conn_ = conn;
    ngtcp2_conn_set_tls_native_handle(made->conn_, made->session_.get());
    ngtcp2_transport_params before;
    if (!dial.parameters.empty() &&
        ngtcp2_decode_transport_params(&before, NGTCP2_TRANSPORT_PARAMS_TYPE_ENCRYPTED_EXTENSIONS,
                                       dial.parameters.data(), dial.parameters.size()) == 0) {
        ngtcp2_conn_set_early_remote_transport_params(made->conn_, &before);
        made->has_parameters_ = true;
    }
    if (dial.keep_alive != 0) ngtcp2_conn_set_keep_alive_timeout(made->conn_, dial.keep_alive);
    made->add_id(own.id);
    return made;
}

Connection::~Connection() {
    for (const ConnectionId& id : ids_)
        host_.remove_id(id);
    if (conn_ != nullptr) ngtcp2_conn_del(conn_);  // before its account
}

// A handshake that is not complete leaves nothing: anyone could fill the memory with them.
Connection::State Connection::end(Why why, Nanoseconds now) {
    if (why_ == Why::none) why_ = why;
    if (!is_established()) return state_ = State::over;
    state_ = State::ending;
    ends_ = now + kEndingProbes * ngtcp2_conn_get_pto(conn_);
    return state_;
}

template <class SetError>
Connection::State Connection::close_with(SetError set, Why why, Nanoseconds now) {
    if (state_ != State::open) return state_;
    if (account_.is_spent()) return give_up();
    ngtcp2_connection_close_error error;
    ngtcp2_connection_close_error_default(&error);
    set(error);
    std::array<std::uint8_t, kSmallestMtu> packet{};
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info info{};
    const auto length = ngtcp2_conn_write_connection_close(conn_, &path.path, &info, packet.data(),
                                                           packet.size(), &error, now);
    if (why_ == Why::none) why_ = why;
    if (length <= 0) return state_ = State::over;
    close_packet_.assign(packet.begin(), packet.begin() + length);
    close_path_ = path_of(path.path);
    host_.send(close_path_, info.ecn, close_packet_, close_packet_.size());
    return end(why, now);
}

Connection::State Connection::close(std::uint64_t code, Nanoseconds now) {
    return close_with_code(code, Why::by_us, now);
}

Connection::State Connection::close_with_code(std::uint64_t code, Why why, Nanoseconds now) {
    return close_with(
        [code, is_complete = is_complete_](ngtcp2_connection_close_error& error) {
            // In a handshake, ngtcp2 can send no error of an application.
            if (is_complete) {
                ngtcp2_connection_close_error_set_application_error(&error, code, nullptr, 0);
            } else {
                ngtcp2_connection_close_error_set_transport_error(&error, NGTCP2_CONNECTION_REFUSED,
                                                                  nullptr, 0);
            }
        },
        why, now);
}

// After ngtcp2 has returned: what its calls have found.
Connection::State Connection::close_if_failed(Nanoseconds now) {
    if (state_ != State::open) return state_;
    if (account_.is_spent()) return give_up();
    // The keys are ngtcp2's, and no client may send more messages of TLS (post_handshake.h).
    if (is_server_ && is_complete_ && session_ != nullptr) {
        ngtcp2_conn_set_tls_native_handle(conn_, nullptr);
        free_tls();
    }
    if (!failure_ && !has_no_protocol_) return state_;
    if (!has_no_protocol_) return close_with_code(*failure_, Why::protocol, now);
    return close_with(
        [](ngtcp2_connection_close_error& out) {
            ngtcp2_connection_close_error_set_transport_error_tls_alert(
                &out, GNUTLS_A_NO_APPLICATION_PROTOCOL, nullptr, 0);
        },
        Why::handshake, now);
}

// For people.
void Connection::note_end_by_peer() {
    if (was_reset_) {
        reason_ = "it does not know the connection (stateless reset)";
        return;
    }
    ngtcp2_connection_close_error error;
    ngtcp2_conn_get_connection_close_error(conn_, &error);
    constexpr std::uint64_t kAlerts = 0x100, kAlertMask = 0xff;  // RFC 9000 20.1
    const bool is_of_transport = error.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_TRANSPORT;
    if (error.error_code == 0) return;
    if (is_of_transport && (error.error_code & ~kAlertMask) == kAlerts) {
        reason_ = "it ends the handshake: " +
                  alert_text(static_cast<std::uint8_t>(error.error_code & kAlertMask));
    } else if (is_of_transport && error.error_code == NGTCP2_CONNECTION_REFUSED) {
        reason_ = "it refuses the connection";
    } else {
        reason_ = "it closed the connection with error " + std::to_string(error.error_code) +
                  (is_of_transport ? " of QUIC" : " of its protocol");
    }
}

// What one of its libraries did not finish may be in any state: it is freed, and not called again.
Connection::State Connection::give_up() {
    why_ = Why::memory;
    reason_ = "it needs more memory than a connection may have";
    return state_ = State::over;
}

Connection::State Connection::fail(int error, Nanoseconds now) {
    if (account_.is_spent()) return give_up();
    switch (error) {
        case NGTCP2_ERR_DRAINING:
            note_end_by_peer();
            return end(Why::by_peer, now);
        case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
            reason_ = "it does not speak QUIC version 1";
            why_ = Why::handshake;
            return state_ = State::over;
        case NGTCP2_ERR_RETRY:
            return state_ = State::retry;
        case NGTCP2_ERR_DROP_CONN:
            why_ = is_established() ? Why::protocol : Why::handshake;
            return state_ = State::over;
        case NGTCP2_ERR_IDLE_CLOSE:
            why_ = Why::idle;
            return state_ = State::over;
        case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
            reason_ = kNoAnswer;
            why_ = Why::handshake;
            return state_ = State::over;
        default:
            break;
    }
    const std::uint8_t failed_with = ngtcp2_conn_get_tls_alert(conn_);
    reason_ = error == NGTCP2_ERR_CRYPTO && failed_with != 0
                  ? "TLS failed: " + alert_text(failed_with)
                  : std::string("QUIC failed: ") + ngtcp2_strerror(error);
    return close_with(
        [this, error](ngtcp2_connection_close_error& out) {
            if (const std::uint8_t alert = ngtcp2_conn_get_tls_alert(conn_);
                alert != 0 && error == NGTCP2_ERR_CRYPTO) {
                ngtcp2_connection_close_error_set_transport_error_tls_alert(&out, alert, nullptr,
                                                                            0);
            } else {
                ngtcp2_connection_close_error_set_transport_error_liberr(&out, error, nullptr, 0);
            }
        },
        is_established() ? Why::protocol : Why::handshake, now);
}

// ---- datagrams

Connection::State Connection::receive(std::span<const std::uint8_t> datagram, unsigned ecn,
                                      const QuicPath& path, Nanoseconds now) {
    if (state_ == State::ending) {
        // The peer may not know it yet: sent again after 1, 2, 4... packets, with the same packet,
        // and never with more than it sent to an address that was not proved.
        constexpr std::size_t kAmplification = 3;  // RFC 9000 8.1
        if (++late_packets_ < (1U << kLateAnswers) && (late_packets_ & (late_packets_ - 1)) == 0 &&
            !close_packet_.empty() && path == close_path_ &&
            close_packet_.size() <= kAmplification * datagram.size())
            host_.send(path, 0, close_packet_, close_packet_.size());
        return state_;
    }
    if (state_ != State::open) return state_;
    ngtcp2_pkt_info info{};
    info.ecn = static_cast<std::uint8_t>(ecn);
    const ngtcp2_path from = path_of(path);
    const int error =
        ngtcp2_conn_read_pkt(conn_, &from, &info, datagram.data(), datagram.size(), now);
    return error == 0 ? close_if_failed(now) : fail(error, now);
}

Connection::State Connection::write(Nanoseconds now) {
    return state_ == State::open ? write_some(now) : state_;
}

// Datagrams of one path and one length, which leave together.
class Connection::Batch {
  public:
    explicit Batch(Host& host) : host_(host) {}
    // Memory for one more.
    std::span<std::uint8_t> room(std::size_t bytes) {
        if (buffer().size() - used_ < bytes) flush();
        return std::span(buffer()).subspan(used_, bytes);
    }
    // What room() returned begins with a datagram of this length.
    void add(std::size_t bytes, const QuicPath& path, unsigned ecn) {
        const bool is_same =
            used_ > 0 && ecn == ecn_ && bytes <= each_ && used_ % each_ == 0 && path == path_;
        if (!is_same) {
            const std::size_t at = used_;
            flush();
            std::memmove(buffer().data(), buffer().data() + at, bytes);
            path_ = path;
            ecn_ = ecn;
            each_ = bytes;
        }
        used_ += bytes;
    }
    void flush() {
        if (used_ > 0) host_.send(path_, ecn_, std::span(buffer()).first(used_), each_);
        used_ = 0;
    }

  private:
    static std::array<std::uint8_t, kBatchBytes>& buffer() {
        static thread_local std::array<std::uint8_t, kBatchBytes> one;
        return one;
    }
    Host& host_;
    std::size_t used_ = 0, each_ = 0;
    QuicPath path_;
    unsigned ecn_ = 0;
};

Connection::State Connection::write_some(Nanoseconds now) {
    Batch batch(host_);
    const std::size_t most =
        std::min(kMostDatagrams,
                 std::max<std::size_t>(1, ngtcp2_conn_get_send_quantum(conn_) / kSmallestMtu));
    const std::size_t mtu = ngtcp2_conn_get_max_tx_udp_payload_size(conn_);
    ngtcp2_path_storage to;
    ngtcp2_path_storage_zero(&to);
    ngtcp2_pkt_info info{};
    for (std::size_t count = 0; count < most && !account_.is_spent();) {
        const auto output = application_ != nullptr ? application_->next_output() : std::nullopt;
        ngtcp2_vec part{};
        std::uint32_t flags = 0;
        if (output) {
            part = {const_cast<std::uint8_t*>(output->bytes.data()), output->bytes.size()};
            flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
            if (output->is_end) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
        }
        if (account_.is_spent()) break;
        const auto room = batch.room(mtu);
        ngtcp2_ssize taken = -1;
        const auto length = ngtcp2_conn_writev_stream(
            conn_, &to.path, &info, room.data(), room.size(), &taken, flags,
            output ? output->stream : -1, &part, output ? 1 : 0, now);
        if (output && taken >= 0)
            application_->sent(output->stream, static_cast<std::size_t>(taken));
        if (length == NGTCP2_ERR_WRITE_MORE) continue;
        if (length == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
            application_->blocked(output->stream);
            continue;
        }
        if (length == NGTCP2_ERR_STREAM_SHUT_WR || length == NGTCP2_ERR_STREAM_NOT_FOUND) {
            application_->shut(output->stream);
            continue;
        }
        if (length < 0) {
            batch.flush();
            return fail(static_cast<int>(length), now);
        }
        if (length == 0) break;
        batch.add(static_cast<std::size_t>(length), path_of(to.path), info.ecn);
        ++count;
    }
    batch.flush();
    return close_if_failed(now);
}

Nanoseconds Connection::next_expiry() const {
    switch (state_) {
        case State::open:
            return ngtcp2_conn_get_expiry(conn_);
        case State::ending:
            return ends_;
        case State::over:
        case State::retry:
            break;
    }
    return 0;
}

Connection::State Connection::expire(Nanoseconds now) {
    if (state_ == State::ending && now >= ends_) return state_ = State::over;
    if (state_ != State::open) return state_;
    if (ngtcp2_conn_get_expiry(conn_) > now) return state_;
    if (const int error = ngtcp2_conn_handle_expiry(conn_, now); error != 0)
        return fail(error, now);
    (void)close_if_failed(now);
    return write(now);
}

QuicPath Connection::path() const {
    return path_of(*ngtcp2_conn_get_path(conn_));
}

// The peer learns of several at a time: each MAX_STREAMS is in a packet that it must acknowledge.
void Connection::allow_another() {
    constexpr std::uint64_t kParts = 4;
    if (++ended_streams_ >= streams_ / kParts)
        ngtcp2_conn_extend_max_streams_bidi(conn_, std::exchange(ended_streams_, 0));
}

// ---- for the application

void Connection::consumed(std::uint64_t bytes) {
    if (is_usable()) ngtcp2_conn_extend_max_offset(conn_, bytes);
}

void Connection::consumed_of(StreamId stream, std::uint64_t bytes) {
    if (is_usable()) (void)ngtcp2_conn_extend_max_stream_offset(conn_, stream, bytes);
}

void Connection::reset(StreamId stream, std::uint64_t code) {
    if (is_usable()) (void)ngtcp2_conn_shutdown_stream(conn_, stream, code);
}

void Connection::stop_reading(StreamId stream, std::uint64_t code) {
    if (is_usable()) (void)ngtcp2_conn_shutdown_stream_read(conn_, stream, code);
}

std::optional<StreamId> Connection::open_uni_stream() {
    StreamId stream = -1;
    if (!is_usable() || ngtcp2_conn_open_uni_stream(conn_, &stream, nullptr) != 0)
        return std::nullopt;
    return stream;
}

std::optional<StreamId> Connection::open_stream() {
    StreamId stream = -1;
    if (!is_usable() || ngtcp2_conn_open_bidi_stream(conn_, &stream, nullptr) != 0)
        return std::nullopt;
    return stream;
}

std::uint64_t Connection::streams_left() const {
    return is_usable() ? ngtcp2_conn_get_streams_bidi_left(conn_) : 0;
}

}  // namespace steer::quic
