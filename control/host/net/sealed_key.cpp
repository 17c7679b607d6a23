#include "control/host/net/sealed_key.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace steer::stream {
namespace {

// Version, nonce, encrypted key, tag.
constexpr unsigned char kVersion = 1;
constexpr std::size_t kNonce = 12, kTag = 16;
constexpr std::size_t kPlain = sizeof(TicketKey);
constexpr std::size_t kSealed = 1 + kNonce + kPlain + kTag;
constexpr std::size_t kGroupBytes = 12;

struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
    void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

// The bytes of a key, by one of OpenSSL's functions i2d_…; wiped by the caller.
template <class ToDer>
std::vector<unsigned char> der_of(EVP_PKEY* key, ToDer to_der) {
    unsigned char* bytes = nullptr;
    const int length = to_der(key, &bytes);
    if (length <= 0) return {};
    std::vector<unsigned char> out(bytes, bytes + length);
    OPENSSL_clear_free(bytes, static_cast<std::size_t>(length));
    return out;
}

bool derive(std::vector<unsigned char>& from, std::array<unsigned char, 32>& out) {
    const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const std::unique_ptr<EVP_KDF_CTX, Free> context(EVP_KDF_CTX_new(kdf.get()));
    char digest[] = "SHA256";
    char purpose[] = "steerdns session tickets";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, from.data(), from.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose, sizeof purpose - 1),
        OSSL_PARAM_construct_end()};
    return context != nullptr &&
           EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1;
}

std::string hex(const unsigned char* bytes, std::size_t size) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < size; ++i) {
        out += kDigits[bytes[i] >> 4U];
        out += kDigits[bytes[i] & 15U];
    }
    return out;
}

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

KeySealer::~KeySealer() {
    OPENSSL_cleanse(secret_.data(), secret_.size());
}

bool KeySealer::take(EVP_PKEY* key, std::string_view protocols) {
    group_.clear();
    auto private_key =
        der_of(key, [](EVP_PKEY* k, unsigned char** out) { return i2d_PrivateKey(k, out); });
    auto public_key =
        der_of(key, [](EVP_PKEY* k, unsigned char** out) { return i2d_PUBKEY(k, out); });
    if (private_key.empty() || public_key.empty()) return false;
    const bool is_derived = derive(private_key, secret_);
    OPENSSL_cleanse(private_key.data(), private_key.size());
    public_key.insert(public_key.end(), bytes_of(protocols),
                      bytes_of(protocols) + protocols.size());
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    if (!is_derived || EVP_Digest(public_key.data(), public_key.size(), digest.data(), nullptr,
                                  EVP_sha256(), nullptr) != 1)
        return false;
    group_ = hex(digest.data(), kGroupBytes);
    return true;
}

std::string KeySealer::seal(const TicketKey& key) const {
    std::array<unsigned char, kSealed> out{kVersion};
    unsigned char* const nonce = out.data() + 1;
    unsigned char* const body = nonce + kNonce;
    const std::unique_ptr<EVP_CIPHER_CTX, Free> context(EVP_CIPHER_CTX_new());
    int length = 0;
    const bool done =
        !group_.empty() && context != nullptr && RAND_bytes(nonce, kNonce) == 1 &&
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secret_.data(), nonce) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &length, bytes_of(group_),
                          static_cast<int>(group_.size())) == 1 &&
        EVP_EncryptUpdate(context.get(), body, &length, key.name.data(), kPlain) == 1 &&
        EVP_EncryptFinal_ex(context.get(), body + length, &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, body + kPlain) == 1;
    return done ? std::string(out.begin(), out.end()) : std::string();
}

std::optional<TicketKey> KeySealer::open(std::string_view sealed) const {
    if (group_.empty() || sealed.size() != kSealed || bytes_of(sealed)[0] != kVersion)
        return std::nullopt;
    const unsigned char* const nonce = bytes_of(sealed) + 1;
    std::array<unsigned char, kTag> tag{};
    std::copy_n(nonce + kNonce + kPlain, kTag, tag.begin());
    const std::unique_ptr<EVP_CIPHER_CTX, Free> context(EVP_CIPHER_CTX_new());
    TicketKey key;
    int length = 0;
    const bool done =
        context != nullptr &&
        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secret_.data(), nonce) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &length, bytes_of(group_),
                          static_cast<int>(group_.size())) == 1 &&
        EVP_DecryptUpdate(context.get(), key.name.data(), &length, nonce + kNonce, kPlain) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), key.name.data() + length, &length) == 1;
    if (done) return key;
    OPENSSL_cleanse(&key, sizeof key);
    return std::nullopt;
}

}  // namespace steer::stream
