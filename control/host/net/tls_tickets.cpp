#include "control/host/net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <iterator>

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

bool fill_random(TicketKey& key) {
    return RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
           RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
           RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
}

TlsTickets::~TlsTickets() {
    if (!shared_.empty()) OPENSSL_cleanse(shared_.data(), shared_.size() * sizeof shared_.front());
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
    TicketKey key;
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

bool TlsTickets::current(TicketKey& out) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now_ms = clock_.now().ms;
    if (const SharedKey* const key = shared(now_ms)) {
        out = static_cast<const TicketKey&>(*key);
        return true;
    }
    rotate(now_ms);
    out = static_cast<const TicketKey&>(current_);
    return current_.is_set;
}

int TlsTickets::find(const unsigned char* name, TicketKey& out) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now_ms = clock_.now().ms;
    rotate(now_ms);
    const auto take = [&](const TicketKey& key) {
        const bool is_named = std::equal(key.name.begin(), key.name.end(), name);
        if (is_named) out = key;
        return is_named;
    };
    const SharedKey* const makes = shared(now_ms);
    for (const SharedKey& key : shared_) {
        if (now_ms < key.until_ms + kLifeMs && take(key)) return &key == makes ? 1 : 2;
    }
    if (current_.is_set && take(current_)) return makes == nullptr ? 1 : 2;
    return previous_.is_set && take(previous_) ? 2 : 0;
}

// The shared key that makes tickets now; nullptr: none does.
const TlsTickets::SharedKey* TlsTickets::shared(std::uint64_t now_ms) const {
    for (const SharedKey& key : shared_) {
        if (key.from_ms <= now_ms && now_ms < key.until_ms) return &key;
    }
    return nullptr;
}

// Of two keys for one time, the one that arrived last makes tickets.
void TlsTickets::share(const TicketKey& key, std::uint64_t from_ms, std::uint64_t until_ms) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now_ms = clock_.now().ms;
    const auto drop = [this](auto at) {
        OPENSSL_cleanse(&*at, sizeof *at);
        shared_.erase(at);
    };
    for (auto at = shared_.begin(); at != shared_.end();) {
        if (at->name == key.name || now_ms >= at->until_ms + kLifeMs)
            drop(at);
        else
            ++at;
    }
    if (shared_.size() >= kMaxShared) drop(std::prev(shared_.end()));
    shared_.reserve(kMaxShared);  // no copy of a key stays elsewhere
    SharedKey one;
    static_cast<TicketKey&>(one) = key;
    one.from_ms = from_ms;
    one.until_ms = until_ms;
    shared_.insert(shared_.begin(), one);
    OPENSSL_cleanse(&one, sizeof one);
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
    current_.is_set = fill_random(current_);
}

}  // namespace steer::stream
