#include "control/config/plugins/block_terms.h"

#include <openssl/evp.h>

#include <array>

#include "control/config/reading.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::config {
namespace {

constexpr std::size_t kLongestPublicName = 100;  // bytes; it is in answers over UDP

}  // namespace

void read_public_name(Reading& in, const Node& node, const Place& place, BlockTerms& out) {
    std::string name;
    if (!read_value(in, node, place, {}, name)) return;
    if (name.empty() || !is_safe_text(name, kLongestPublicName)) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(name) +
                                          ": expected a text of one line, 1..100 bytes, such as "
                                          "'Court orders'");
        return;
    }
    out.public_name = std::move(name);
}

void check_terms(Reading& in, int line, std::string_view owner, const BlockTerms& terms) {
    if (!terms.legal || !terms.requested) return;
    in.report().error(line, std::string(owner) +
                                " is 'legal' and 'requested', which clients see as one code: "
                                "remove one of them");
}

matchers::ListVersion version_of(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    matchers::ListVersion out;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
        return out;
    for (unsigned i = 0; i < length; ++i) {
        out.sha256 += kDigits[digest[i] >> 4U];
        out.sha256 += kDigits[digest[i] & 0xfU];
    }
    return out;
}

}  // namespace steer::config
