#include "control/streams/quic/tls.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

namespace steer::quic {
namespace {

// TLS 1.3 with the ciphers of RFC 9001 5.3. QUIC has no compatibility mode (RFC 9001 8.4).
constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "%DISABLE_TLS13_COMPAT_MODE";
constexpr unsigned kTicketLifeS = 24 * 3600;
constexpr std::size_t kMostEarlyBytes = UINT32_MAX;  // windows limit it (RFC 9001 4.6.1)

gnutls_datum_t datum_of(const std::string& text) {
    return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
            static_cast<unsigned>(text.size())};
}

// Of a client that sent one. GnuTLS refuses a client without one where it is required.
int verify_client(gnutls_session_t session) {
    unsigned count = 0, status = 0;
    if (gnutls_certificate_get_peers(session, &count) == nullptr || count == 0) return 0;
    gnutls_typed_vdata_st purpose{};
    purpose.type = GNUTLS_DT_KEY_PURPOSE_OID;
    purpose.data = reinterpret_cast<unsigned char*>(const_cast<char*>(GNUTLS_KP_TLS_WWW_CLIENT));
    const int error = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    return error < 0 || status != 0 ? -1 : 0;
}

// Early data may be replayed (RFC 8446 8): what began a session is kept for a while, and not accepted
// again. When there is no more room, nothing is accepted: clients then send their queries later.
class SeenHellos {
  public:
    static constexpr unsigned kWindowMs = 10'000;
    static constexpr std::size_t kMost = 65'536;
    // A text of 32 bytes, and a node of each map.
    static constexpr std::size_t kHelloBytes =
        heap_bytes(33) + node_bytes<std::set<std::string>>() +
        node_bytes<std::multimap<std::time_t, std::set<std::string>::iterator>>();
    // Of the memory of the process, a server may use a part for them.
    static constexpr std::uint64_t kPart = 16;

    explicit SeenHellos(std::shared_ptr<ProcessMemory> memory) : memory_(std::move(memory)) {
        if (memory_ != nullptr)
            most_ = std::min<std::uint64_t>(kMost, memory_->most() / kPart / kHelloBytes);
    }
    ~SeenHellos() { give(seen_.size()); }
    SeenHellos(const SeenHellos&) = delete;
    SeenHellos& operator=(const SeenHellos&) = delete;

    bool add(std::string_view hello, std::time_t until) {
        const std::scoped_lock lock(mutex_);
        const std::time_t now = std::time(nullptr);
        while (!by_end_.empty() && by_end_.begin()->first < now) {
            seen_.erase(by_end_.begin()->second);
            by_end_.erase(by_end_.begin());
            give(1);
        }
        if (seen_.size() >= most_ || seen_.contains(hello) || !take()) return false;
        by_end_.emplace(until, seen_.emplace(hello).first);
        return true;
    }
    // For GnuTLS. `seen`: nullptr: accept nothing.
    static int add_for(void* seen, std::time_t until, const gnutls_datum_t* key,
                       const gnutls_datum_t*) {
        auto* const self = static_cast<SeenHellos*>(seen);
        const std::string_view hello(reinterpret_cast<const char*>(key->data), key->size);
        return self != nullptr && self->add(hello, until) ? 0 : GNUTLS_E_DB_ENTRY_EXISTS;
    }

  private:
    bool take() {
        return memory_ == nullptr ||
               (memory_->excess(kHelloBytes) == 0 && memory_->take(kHelloBytes));
    }
    void give(std::size_t hellos) {
        if (memory_ != nullptr) memory_->give(hellos * kHelloBytes);
    }

    using Hellos = std::set<std::string, std::less<>>;
    std::shared_ptr<ProcessMemory> memory_;
    std::size_t most_ = kMost;
    std::mutex mutex_;
    Hellos seen_;
    std::multimap<std::time_t, Hellos::iterator> by_end_;
};

struct AntiReplayFree {
    void operator()(gnutls_anti_replay_t replay) const noexcept {
        gnutls_anti_replay_deinit(replay);
    }
};
using AntiReplay = std::unique_ptr<gnutls_anti_replay_st, AntiReplayFree>;

// nullptr: there is no memory.
AntiReplay anti_replay(SeenHellos* seen) {
    gnutls_anti_replay_t made = nullptr;
    if (gnutls_anti_replay_init(&made) < 0) return nullptr;
    gnutls_anti_replay_set_window(made, SeenHellos::kWindowMs);
    gnutls_anti_replay_set_ptr(made, seen);
    gnutls_anti_replay_set_add_function(made, SeenHellos::add_for);
    return AntiReplay(made);
}

}  // namespace

void SessionFree::operator()(gnutls_session_int* session) const noexcept {
    gnutls_deinit(session);
}

struct ServerTls::Impl {
    explicit Impl(std::shared_ptr<ProcessMemory> memory) : seen(std::move(memory)) {}
    ~Impl() {
        if (credentials != nullptr) gnutls_certificate_free_credentials(credentials);
        if (priority != nullptr) gnutls_priority_deinit(priority);
        gnutls_memset(ticket_key.data(), 0, ticket_key.size());
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    gnutls_certificate_credentials_t credentials = nullptr;
    gnutls_priority_t priority = nullptr;
    std::vector<std::string> protocols;
    std::string ticket_key;
    bool asks_for_certificate = false, requires_certificate = false;
    SeenHellos seen;
    AntiReplay judging, refusing;  // of early data; nullptr: it is not offered
};

ServerTls::ServerTls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerTls::~ServerTls() = default;

Result<std::shared_ptr<const ServerTls>> ServerTls::make(const ServerTlsSettings& settings,
                                                         std::shared_ptr<ProcessMemory> memory) {
    auto impl = std::make_unique<Impl>(std::move(memory));
    const auto wrong = [](const char* what, int code) {
        return Error{std::string(what) + ": " + gnutls_strerror(code)};
    };
    if (const int code = gnutls_certificate_allocate_credentials(&impl->credentials); code < 0)
        return wrong("no memory for a certificate", code);
    if (const int code = gnutls_priority_init(&impl->priority, kPriority, nullptr); code < 0)
        return wrong("TLS 1.3 is not available", code);
    const auto chain = datum_of(settings.chain), key = datum_of(settings.key);
    if (const int code = gnutls_certificate_set_x509_key_mem(impl->credentials, &chain, &key,
                                                             GNUTLS_X509_FMT_PEM);
        code < 0)
        return wrong("QUIC does not accept the certificate", code);
    if (!settings.client_ca.empty()) {
        const auto issuers = datum_of(settings.client_ca);
        if (const int code = gnutls_certificate_set_x509_trust_mem(impl->credentials, &issuers,
                                                                   GNUTLS_X509_FMT_PEM);
            code < 0)
            return wrong("QUIC does not accept the issuers of client certificates", code);
        impl->asks_for_certificate = true;
        impl->requires_certificate = settings.require_client_cert;
    }
    impl->protocols = settings.protocols;
    if (settings.ticket_key.size() == kTicketKeyBytes) impl->ticket_key = settings.ticket_key;
    if (settings.early_data && !impl->asks_for_certificate && !impl->ticket_key.empty()) {
        impl->judging = anti_replay(&impl->seen);
        impl->refusing = anti_replay(nullptr);
        if (impl->judging == nullptr || impl->refusing == nullptr)
            return Error{"no memory for early data"};
    }
    return std::shared_ptr<const ServerTls>(new ServerTls(std::move(impl)));
}

// Early data is offered in tickets also where it is refused this time.
Session ServerTls::session(bool may_send_early) const {
    gnutls_session_t made = nullptr;
    const bool is_early = impl_->judging != nullptr;
    const unsigned early = is_early ? GNUTLS_ENABLE_EARLY_DATA | GNUTLS_NO_END_OF_EARLY_DATA : 0;
    if (gnutls_init(&made, GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET | early) < 0) return nullptr;
    Session session(made);
    if (is_early) {
        gnutls_anti_replay_enable(made, (may_send_early ? impl_->judging : impl_->refusing).get());
        if (gnutls_record_set_max_early_data_size(made, kMostEarlyBytes) < 0) return nullptr;
    }
    std::array<gnutls_datum_t, 4> protocols{};
    const std::size_t count = std::min(protocols.size(), impl_->protocols.size());
    for (std::size_t i = 0; i < count; ++i)
        protocols[i] = datum_of(impl_->protocols[i]);
    const bool is_good =
        gnutls_priority_set(made, impl_->priority) == 0 &&
        gnutls_credentials_set(made, GNUTLS_CRD_CERTIFICATE, impl_->credentials) == 0 &&
        gnutls_alpn_set_protocols(made, protocols.data(), static_cast<unsigned>(count),
                                  GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE) == 0 &&
        ngtcp2_crypto_gnutls_configure_server_session(made) == 0;
    if (!is_good) return nullptr;
    if (!impl_->ticket_key.empty()) {
        const auto key = datum_of(impl_->ticket_key);
        if (gnutls_session_ticket_enable_server(made, &key) < 0) return nullptr;
        gnutls_db_set_cache_expiration(made, kTicketLifeS);
    }
    if (impl_->asks_for_certificate) {
        gnutls_certificate_server_set_request(
            made, impl_->requires_certificate ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
        gnutls_session_set_verify_function(made, verify_client);
    }
    return session;
}

// ---- clients

struct ClientTls::Impl {
    Impl() = default;
    ~Impl() {
        if (credentials != nullptr) gnutls_certificate_free_credentials(credentials);
        if (priority != nullptr) gnutls_priority_deinit(priority);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    gnutls_certificate_credentials_t credentials = nullptr;
    gnutls_priority_t priority = nullptr;
};

ClientTls::ClientTls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientTls::~ClientTls() = default;

Result<std::shared_ptr<const ClientTls>> ClientTls::make() {
    auto impl = std::make_unique<Impl>();
    if (gnutls_certificate_allocate_credentials(&impl->credentials) < 0 ||
        gnutls_priority_init(&impl->priority, kPriority, nullptr) < 0)
        return Error{"TLS 1.3 is not available"};
    return std::shared_ptr<const ClientTls>(new ClientTls(std::move(impl)));
}

Session ClientTls::session(const ClientSession& settings) const {
    gnutls_session_t made = nullptr;
    const unsigned early =
        settings.early_data ? GNUTLS_ENABLE_EARLY_DATA | GNUTLS_NO_END_OF_EARLY_DATA : 0;
    if (gnutls_init(&made, GNUTLS_CLIENT | early) < 0) return nullptr;
    Session session(made);
    const auto protocol = datum_of(settings.protocol);
    const bool is_good =
        gnutls_priority_set(made, impl_->priority) == 0 &&
        gnutls_credentials_set(made, GNUTLS_CRD_CERTIFICATE, impl_->credentials) == 0 &&
        gnutls_alpn_set_protocols(made, &protocol, 1, GNUTLS_ALPN_MANDATORY) == 0 &&
        (settings.server_name.empty() ||
         gnutls_server_name_set(made, GNUTLS_NAME_DNS, settings.server_name.data(),
                                settings.server_name.size()) == 0) &&
        ngtcp2_crypto_gnutls_configure_client_session(made) == 0;
    if (!is_good) return nullptr;
    // Without a ticket that GnuTLS accepts, the handshake is a full one.
    if (!settings.ticket.empty())
        (void)gnutls_session_set_data(made, settings.ticket.data(), settings.ticket.size());
    return session;
}

std::vector<std::string> peer_chain(gnutls_session_int* session) {
    std::vector<std::string> chain;
    unsigned count = 0;
    const gnutls_datum_t* const shown = gnutls_certificate_get_peers(session, &count);
    for (unsigned i = 0; shown != nullptr && i < count; ++i)
        chain.emplace_back(reinterpret_cast<const char*>(shown[i].data), shown[i].size);
    return chain;
}

std::vector<std::uint8_t> ticket_of(gnutls_session_int* session) {
    gnutls_datum_t data{};
    if (gnutls_session_get_data2(session, &data) != 0) return {};
    std::vector<std::uint8_t> ticket(data.data, data.data + data.size);
    gnutls_free(data.data);
    return ticket;
}

std::string alert_text(std::uint8_t alert) {
    const char* const text = gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert));
    return text != nullptr ? text : "alert " + std::to_string(alert);
}

// ---- sessions

void fill_random(std::span<std::uint8_t> bytes) {
    if (gnutls_rnd(GNUTLS_RND_RANDOM, bytes.data(), bytes.size()) < 0) std::abort();
}

std::string requested_name(gnutls_session_int* session) {
    std::array<char, 256> name{};
    std::size_t length = name.size();
    unsigned type = 0;
    if (gnutls_server_name_get(session, name.data(), &length, &type, 0) < 0 ||
        type != GNUTLS_NAME_DNS)
        return {};
    return {name.data()};
}

bool is_resumed(gnutls_session_int* session) {
    return gnutls_session_is_resumed(session) != 0;
}

bool is_early_accepted(gnutls_session_int* session) {
    return (gnutls_session_get_flags(session) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
}

bool has_protocol(gnutls_session_int* session) {
    gnutls_datum_t protocol{};
    return gnutls_alpn_get_selected_protocol(session, &protocol) == 0;
}

void send_ticket(gnutls_session_int* session) {
    (void)gnutls_session_ticket_send(session, 1, 0);
}

}  // namespace steer::quic
