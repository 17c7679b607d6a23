#include "control/stream/tls/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

namespace steer::stream {
namespace {

bool use_mac(EVP_MAC_CTX* mac, std::array<unsigned char, 32>& key) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

}  // namespace

TlsTickets::~TlsTickets() {
    OPENSSL_cleanse(&current_, sizeof current_);
    OPENSSL_cleanse(&previous_, sizeof previous_);
}

void TlsTickets::serve(SSL_CTX* context) {
    SSL_CTX_set_app_data(context, this);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    SSL_CTX_set_timeout(context, static_cast<long>(kLifeMs / 1000));
}

int TlsTickets::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int makes) {
    auto& self = *static_cast<TlsTickets*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    Key key;
    int found = 0;
    if (makes == 1) {
        if (!self.current(key) || RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
        std::copy(key.name.begin(), key.name.end(), name);
        found = 1;
    } else if ((found = self.find(name, key)) == 0) {
        return 0;
    }
    const bool ready =
        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, makes) == 1 &&
        use_mac(mac, key.mac);
    OPENSSL_cleanse(&key, sizeof key);
    return ready ? found : -1;
}

bool TlsTickets::current(Key& out) {
    const std::lock_guard lock(mutex_);
    rotate(clock_.now().ms);
    out = current_;
    return current_.is_set;
}

int TlsTickets::find(const unsigned char* name, Key& out) {
    const std::lock_guard lock(mutex_);
    rotate(clock_.now().ms);
    const auto take = [&](const Key& key) {
        const bool is_named = key.is_set && std::equal(key.name.begin(), key.name.end(), name);
        if (is_named) out = key;
        return is_named;
    };
    if (take(current_)) return 1;
    return take(previous_) ? 2 : 0;
}

void TlsTickets::rotate(std::uint64_t now_ms) {
    if (current_.is_set && now_ms - current_.born_ms >= kLifeMs) {
        previous_ = current_;
        OPENSSL_cleanse(&current_, sizeof current_);
        current_.is_set = false;
    }
    if (previous_.is_set && now_ms - previous_.born_ms >= 2 * kLifeMs) {
        OPENSSL_cleanse(&previous_, sizeof previous_);
        previous_.is_set = false;
    }
    if (current_.is_set) return;
    current_.born_ms = now_ms;
    current_.is_set =
        RAND_bytes(current_.name.data(), static_cast<int>(current_.name.size())) == 1 &&
        RAND_priv_bytes(current_.cipher.data(), static_cast<int>(current_.cipher.size())) == 1 &&
        RAND_priv_bytes(current_.mac.data(), static_cast<int>(current_.mac.size())) == 1;
}

}  // namespace steer::stream
