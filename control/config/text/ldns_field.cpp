#include "control/config/text/ldns_field.h"

#include <memory>
#include <string_view>

namespace steer::config {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMaxBase64Bytes = 65'000;  // ldns counts them in 16 bits
constexpr std::size_t kMaxSaltDigits = 510;      // it takes 512 for none
constexpr std::size_t kMaxHashDigits = 408;      // 255 bytes, the most that the field has
constexpr std::size_t kEui48 = 17, kEui64 = 23;  // characters

// It pads half a byte with zeros.
bool is_hex(std::string_view text) {
    return text.size() % 2 == 0 &&
           text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

bool is_base64(std::string_view text) {
    return !text.empty() && text.size() % 4 == 0 && text.size() / 4 * 3 <= kMaxBase64Bytes;
}

bool has_form(ldns_rdf_type kind, std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return false;  // its strings end there
    switch (static_cast<int>(kind)) {
        case LDNS_RDF_TYPE_HEX:
            return is_hex(text);
        case LDNS_RDF_TYPE_B64:
            return is_base64(text);
        case LDNS_RDF_TYPE_NSEC3_SALT:
            return !text.empty() && text.size() <= kMaxSaltDigits;
        case LDNS_RDF_TYPE_NSEC3_NEXT_OWNER:
            return !text.empty() && text.size() <= kMaxHashDigits &&
                   text.find('=') == std::string_view::npos;
        case LDNS_RDF_TYPE_EUI48:
            return text.size() == kEui48;
        case LDNS_RDF_TYPE_EUI64:
            return text.size() == kEui64;
        default:
            return true;
    }
}

}  // namespace

std::optional<Bytes> read_by_ldns(ldns_rdf_type kind, const std::string& text) {
    if (!has_form(kind, text)) return std::nullopt;
    const std::unique_ptr<ldns_rdf, void (*)(ldns_rdf*)> field(
        ldns_rdf_new_frm_str(kind, text.c_str()), ldns_rdf_deep_free);
    if (!field) return std::nullopt;
    // (An empty field may have no memory of its own.)
    const std::uint8_t* const bytes = ldns_rdf_data(field.get());
    const std::size_t size = ldns_rdf_size(field.get());
    return size == 0 ? Bytes{} : Bytes(bytes, bytes + size);
}

void add_number(Bytes& to, std::uint64_t value, unsigned bytes) {
    while (bytes-- > 0)
        to.push_back(static_cast<std::uint8_t>(value >> (8 * bytes)));
}

}  // namespace steer::config
