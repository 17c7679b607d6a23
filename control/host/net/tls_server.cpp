#include "control/host/net/tls_server.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/base/client_transport.h"

namespace steer::stream {
namespace {

// Any is ours: a session keeps what was asked for, so that it is known of one that is resumed (TLS 1.2).
int take_server_name(SSL*, int*, void*) {
    return SSL_TLSEXT_ERR_OK;
}

// TLS 1.2: forward secrecy and authenticated encryption, which are all that 1.3 has.
constexpr const char* kCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL:!aPSK:!aSRP:!ADH:!AECDH";

// Changes with any change of a file that can be seen without reading it; empty: one cannot be seen.
std::string state_of(const TlsFiles& files) {
    std::string out = files.require_client_cert ? "required" : "";
    for (const std::string* file : {&files.cert, &files.key, &files.client_ca}) {
        struct stat s {};
        if (!file->empty() && ::stat(file->c_str(), &s) != 0) return {};
        out += "\n" + *file;
        for (const long n :
             {static_cast<long>(s.st_dev), static_cast<long>(s.st_ino),
              static_cast<long>(s.st_size), static_cast<long>(s.st_mtim.tv_sec),
              static_cast<long>(s.st_mtim.tv_nsec), static_cast<long>(s.st_ctim.tv_sec),
              static_cast<long>(s.st_ctim.tv_nsec)})
            out += " " + std::to_string(n);
    }
    return out;
}

Error refused(const TlsFiles& files) {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return Error{"certificate " + files.cert +
                 " cannot be used: " + (reason != nullptr ? reason : "TLS does not take it")};
}

// Resumes sessions only with the same requirements for client certificates.
void set_session_context(SSL_CTX* context, const TlsFiles& files) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    const std::string text = files.client_ca + (files.require_client_cert ? "!" : "");
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    SSL_CTX_set_session_id_context(context, digest.data(),
                                   std::min(length, unsigned{SSL_MAX_SID_CTX_LENGTH}));
}

bool ask_clients(SSL_CTX* context, const TlsFiles& files, const Certificate& certificate) {
    X509_STORE* const store = SSL_CTX_get_cert_store(context);
    for (int i = 0; i < sk_X509_num(certificate.client_cas.get()); ++i) {
        X509* const ca = sk_X509_value(certificate.client_cas.get(), i);
        if (X509_STORE_add_cert(store, ca) != 1 || SSL_CTX_add_client_CA(context, ca) != 1)
            return false;
    }
    SSL_CTX_set_verify(
        context,
        SSL_VERIFY_PEER | (files.require_client_cert ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        nullptr);
    return true;
}

}  // namespace

TlsServer::TlsServer(const std::vector<std::string>& protocols, Clock& clock) : tickets_(clock) {
    for (const auto& protocol : protocols) {
        protocols_.push_back(static_cast<unsigned char>(protocol.size()));
        protocols_.insert(protocols_.end(), protocol.begin(), protocol.end());
    }
}

TlsServer::~TlsServer() = default;

Result<void> TlsServer::load(const TlsFiles& files) {
    files_ = files;
    std::string state = state_of(files);
    if (!state.empty() && state == read_) return {};
    const auto certificate = read_certificate(files);
    if (!certificate) return certificate.error();
    if (auto done = use(files, *certificate); !done) return done;
    read_ = std::move(state);
    return {};
}

Result<void> TlsServer::use(const TlsFiles& files, const Certificate& certificate) {
    files_ = files;
    auto context = make_context(files, certificate);
    if (!context) return context.error();
    read_ = state_of(files);
    const std::lock_guard lock(mutex_);
    context_ = std::move(*context);
    facts_ = certificate.facts;
    sealer_.take(certificate.key.get(), std::string(protocols_.begin(), protocols_.end()));
    return {};
}

Result<SslContextPtr> TlsServer::make_context(const TlsFiles& files,
                                              const Certificate& certificate) {
    ERR_clear_error();
    SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    if (context == nullptr) return refused(files);
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_read_ahead(raw, 1);  // many records in a system call, not two calls a record
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    static_assert(std::ranges::none_of(kClientTransports, &TransportRow::early_data),
                  "early data can be replayed: who allows it has to bound it here");
    SSL_CTX_set_max_early_data(raw, 0);
    SSL_CTX_set_num_tickets(raw, 1);  // a client has one connection, not a browser's many
    set_session_context(raw, files);
    tickets_.serve(raw);
    SSL_CTX_callback_ctrl(raw, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                          reinterpret_cast<void (*)()>(take_server_name));
    if (!protocols_.empty()) SSL_CTX_set_alpn_select_cb(raw, choose_protocol, this);
    if (SSL_CTX_set_cipher_list(raw, kCiphers) != 1 ||
        SSL_CTX_use_cert_and_key(raw, certificate.own.get(), certificate.key.get(),
                                 certificate.chain.get(), 1) != 1)
        return refused(files);
    if (certificate.client_cas != nullptr && !ask_clients(raw, files, certificate))
        return refused(files);
    return context;
}

int TlsServer::choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length,
                               const unsigned char* in, unsigned in_length, void* self) {
    const auto& ours = static_cast<const TlsServer*>(self)->protocols_;
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, out_length, ours.data(),
                                            static_cast<unsigned>(ours.size()), in, in_length);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

SslPtr TlsServer::accept() const {
    SslPtr ssl;
    {
        const std::lock_guard lock(mutex_);
        if (context_ != nullptr) ssl.reset(SSL_new(context_.get()));
    }
    if (ssl != nullptr) SSL_set_accept_state(ssl.get());
    return ssl;
}

std::string TlsServer::ticket_group() const {
    const std::lock_guard lock(mutex_);
    return sealer_.group();
}

std::string TlsServer::new_ticket_key() const {
    TicketKey key;
    if (!fill_random(key)) return {};
    const std::lock_guard lock(mutex_);
    std::string sealed = sealer_.seal(key);
    OPENSSL_cleanse(&key, sizeof key);
    return sealed;
}

bool TlsServer::use_ticket_key(std::string_view sealed, std::uint64_t from_ms,
                               std::uint64_t until_ms) {
    std::optional<TicketKey> key;
    {
        const std::lock_guard lock(mutex_);
        key = sealer_.open(sealed);
    }
    if (!key) return false;
    tickets_.share(*key, from_ms, until_ms);
    OPENSSL_cleanse(&*key, sizeof *key);
    return true;
}

CertificateFacts TlsServer::facts() const {
    const std::lock_guard lock(mutex_);
    return facts_;
}

}  // namespace steer::stream
