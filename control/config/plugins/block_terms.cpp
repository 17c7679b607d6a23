#include "control/config/plugins/block_terms.h"

#include "control/config/reading.h"
#include "matchers/content_hash.h"
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

std::string sha256_of(std::string_view bytes) {
    matchers::ContentHash hash;
    hash.add({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    return hash.hex();
}

}  // namespace steer::config
