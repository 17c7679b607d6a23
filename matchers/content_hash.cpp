#include "matchers/content_hash.h"

#include <openssl/evp.h>

#include <array>
#include <new>

namespace steer::matchers {

void ContentHash::Free::operator()(evp_md_ctx_st* context) const noexcept {
    EVP_MD_CTX_free(context);
}

ContentHash::ContentHash() : context_(EVP_MD_CTX_new()) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();
}

void ContentHash::add(std::span<const std::uint8_t> bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

void ContentHash::add_text(std::string_view text) {
    add_number(text.size());
    EVP_DigestUpdate(context_.get(), text.data(), text.size());
}

void ContentHash::add_number(std::uint64_t number) {
    EVP_DigestUpdate(context_.get(), &number, sizeof number);
}

std::string ContentHash::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        out += kDigits[digest[i] >> 4];
        out += kDigits[digest[i] & 15];
    }
    return out;
}

}  // namespace steer::matchers
