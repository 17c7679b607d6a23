#include "control/config/text/rdata_text.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "control/config/text/dns_names.h"
#include "control/config/text/ldns_field.h"
#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "matchers/name_text.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Types whose names are those of hosts and services. Other types name mailboxes, in which more signs are common, or owners
// in a signed zone, which may have a wildcard.
bool has_targets(std::uint16_t type) {
    constexpr std::array<std::uint16_t, 15> kTypes{
        LDNS_RR_TYPE_NS,   LDNS_RR_TYPE_MD,    LDNS_RR_TYPE_MF,    LDNS_RR_TYPE_CNAME,
        LDNS_RR_TYPE_PTR,  LDNS_RR_TYPE_MX,    LDNS_RR_TYPE_AFSDB, LDNS_RR_TYPE_RT,
        LDNS_RR_TYPE_SRV,  LDNS_RR_TYPE_NAPTR, LDNS_RR_TYPE_KX,    LDNS_RR_TYPE_DNAME,
        LDNS_RR_TYPE_SVCB, LDNS_RR_TYPE_HTTPS, LDNS_RR_TYPE_LP};
    return std::ranges::find(kTypes, type) != kTypes.end();
}

// How the fields of a record are read.
struct FieldForm {
    bool has_ttl = false;  // numbers of 32 bits are TTLs, which may have units, as in an RRSIG
    std::optional<matchers::NameForm> target;  // of its names; nothing: any bytes
};

// Reads the fields of one record, each as ldns names its kind.
//
// Numbers, lists of types, names and SvcParams are read here, not by ldns: ldns 1.8.3 takes a number that is too large
// modulo its width ("MX 65546" is 10), an unknown type in a list for type 0, and writes beyond its stack above 65'536 types.
class FieldReader {
  public:
    FieldReader(std::span<const ZoneWord> words, const std::string& origin, FieldForm form)
        : words_(words), origin_(origin), form_(form) {}

    // False: the next word is not of this kind. `last`: the type ends with this field.
    bool read(ldns_rdf_type kind, bool last) {
        if (kind == LDNS_RDF_TYPE_SVCPARAMS) return parameters();
        if (kind == LDNS_RDF_TYPE_NSEC) return types();
        if (words_.empty()) return false;
        if ((kind == LDNS_RDF_TYPE_HEX || kind == LDNS_RDF_TYPE_B64) && last)
            return by_ldns(kind, all_that_follows());
        const std::string& word = take();
        switch (static_cast<int>(kind)) {
            case LDNS_RDF_TYPE_DNAME:
                return name(word);
            case LDNS_RDF_TYPE_INT8:
                return number(word, 1);
            case LDNS_RDF_TYPE_INT16:
                return number(word, 2);
            case LDNS_RDF_TYPE_INT32:
                return form_.has_ttl ? period(word) : number(word, 4);
            case LDNS_RDF_TYPE_PERIOD:
                return period(word);
            case LDNS_RDF_TYPE_TIME:
                return date(word);
            case LDNS_RDF_TYPE_TYPE:
                return type(word);
            case LDNS_RDF_TYPE_ALG:
            case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
            case LDNS_RDF_TYPE_SELECTOR:
            case LDNS_RDF_TYPE_MATCHING_TYPE:
                return is_mnemonic(word) ? by_ldns(kind, word) : number(word, 1);
            case LDNS_RDF_TYPE_CERT_ALG:
                return is_mnemonic(word) ? by_ldns(kind, word) : number(word, 2);
            default:
                return by_ldns(kind, word);
        }
    }
    [[nodiscard]] bool at_end() const { return words_.empty(); }
    Bytes out;
    std::string error;  // an error other than an invalid word

  private:
    const std::string& take() {
        const std::string& word = words_.front().text;
        words_ = words_.subspan(1);
        return word;
    }
    std::string all_that_follows() {
        std::string text;
        while (!words_.empty())
            text += take();
        return text;
    }
    static bool is_mnemonic(const std::string& word) {
        return !word.empty() && matchers::lower(word[0]) >= 'a' && matchers::lower(word[0]) <= 'z';
    }

    bool by_ldns(ldns_rdf_type kind, const std::string& text) {
        const auto bytes = read_by_ldns(kind, text);
        if (bytes) out.insert(out.end(), bytes->begin(), bytes->end());
        return bytes.has_value();
    }
    bool number(const std::string& word, unsigned bytes) {
        const auto value = parse_integer(word);
        if (!value || *value >> (8 * bytes) != 0) return false;
        add_number(out, *value, bytes);
        return true;
    }
    bool period(const std::string& word) {
        auto value = parse_integer(word);
        if (!value) {
            const auto duration = parse_duration(word);
            if (!duration) return false;
            value = static_cast<std::uint64_t>(duration->count() / 1000);
        }
        if (*value > UINT32_MAX) return false;
        add_number(out, *value, 4);
        return true;
    }
    // YYYYMMDDHHmmSS, or seconds since 1970 (RFC 4034 3.2).
    bool date(const std::string& word) {
        constexpr std::size_t kDigits = 14;
        if (word.size() != kDigits) return number(word, 4);
        return std::ranges::all_of(word, matchers::is_digit) && by_ldns(LDNS_RDF_TYPE_TIME, word);
    }
    bool name(const std::string& word) {
        const std::string text = absolute_name(word, origin_);
        auto wire = dns::name_from_text(text.empty() ? "." : text);
        if (!wire) return false;
        if (form_.target && !text.empty()) {
            const auto parsed = matchers::parse_name(text, *form_.target);
            if (!parsed) {
                error = "invalid name in the data: " + parsed.error().text;
                return false;
            }
            // Letters keep their case: the names of services are shown to people (RFC 6763 4.1.3).
            if (!matchers::is_ascii(text)) wire = dns::name_from_text(*parsed);
            if (!wire) return false;
        }
        out.insert(out.end(), wire->begin(), wire->end());
        return true;
    }
    bool type(const std::string& word) {
        const auto number = parse_qtype(word);
        if (!number) return false;
        add_number(out, *number, 2);
        return true;
    }
    // RFC 4034 4.1.2: a bitmap for each 256 types.
    bool types() {
        std::map<std::uint8_t, Bytes> windows;
        while (!words_.empty()) {
            const auto number = parse_qtype(take());
            if (!number) return false;
            auto& bitmap = windows[static_cast<std::uint8_t>(*number >> 8)];
            const std::size_t at = (*number & 0xffU) / 8;
            if (bitmap.size() <= at) bitmap.resize(at + 1);
            bitmap[at] = static_cast<std::uint8_t>(bitmap[at] | 0x80U >> (*number & 7U));
        }
        for (const auto& [window, bitmap] : windows) {
            out.push_back(window);
            out.push_back(static_cast<std::uint8_t>(bitmap.size()));
            out.insert(out.end(), bitmap.begin(), bitmap.end());
        }
        return true;
    }
    bool parameters() {
        const auto parameters = svc_parameters(words_);
        words_ = {};
        if (!parameters) {
            error = parameters.error().text;
            return false;
        }
        out.insert(out.end(), parameters->begin(), parameters->end());
        return true;
    }

    std::span<const ZoneWord> words_;
    const std::string& origin_;
    FieldForm form_;
};

// RFC 3597 5: "\\# LENGTH HEX".
Result<Bytes> unknown_rdata(std::span<const ZoneWord> words) {
    const auto length = words.size() < 2 ? std::nullopt : parse_integer(words[1].text);
    const std::string no_origin;
    FieldReader reader(words.subspan(std::min<std::size_t>(words.size(), 2)), no_origin, {});
    const bool good = reader.at_end() || reader.read(LDNS_RDF_TYPE_HEX, true);
    if (!length || !good || reader.out.size() != *length)
        return Error{"expected '\\#', the number of bytes, and the bytes as hex digits"};
    return std::move(reader.out);
}

// "\\DDD" is one byte.
bool is_too_long(std::span<const ZoneWord> words) {
    std::size_t characters = 0;
    for (const ZoneWord& word : words)
        characters += word.text.size();
    return characters > 4 * kMaxRdataBytes;
}

}  // namespace

std::string absolute_name(const std::string& text, const std::string& origin) {
    return matchers::absolute_zone_name(text, origin);
}

Result<Bytes> rdata_of(std::uint16_t type, std::span<const ZoneWord> words,
                       const std::string& origin, bool any_byte) {
    const Error too_long{"the record is longer than a DNS message"};
    if (is_too_long(words)) return too_long;
    const bool as_bytes = !words.empty() && words[0].text == "\\#" && !words[0].quoted;
    if (as_bytes) return unknown_rdata(words);
    const RdataForm* const form = find_rdata_form(type);
    if (form == nullptr) {
        return Error{
            "records of type " + std::to_string(type) +
            " must be written as in RFC 3597: '\\#', the number of bytes, and the bytes in hex"};
    }
    const auto* const fields = ldns_rr_descript(*parse_qtype(form->read_as));
    const std::size_t least = ldns_rr_descriptor_minimum(fields);
    const std::size_t most = ldns_rr_descriptor_maximum(fields);
    FieldForm how;
    how.has_ttl = type == LDNS_RR_TYPE_RRSIG || type == LDNS_RR_TYPE_SIG;
    if (has_targets(type))
        how.target = matchers::NameForm{
            .any_escape = true, .printable = any_byte, .alone = true, .numbers = any_byte};
    FieldReader reader(words, origin, how);
    for (std::size_t i = 0; i < most && (i < least || !reader.at_end()); ++i) {
        if (reader.read(ldns_rr_descriptor_field_type(fields, i), i + 1 == most)) continue;
        if (!reader.error.empty()) return Error{reader.error};
        return Error{"expected the data of a record of type " + std::string(form->type) +
                     ", as in '" + std::string(form->example) + "'"};
    }
    if (!reader.at_end()) {
        return Error{"more words than " + std::string(form->type) +
                     " has: expected data such as '" + std::string(form->example) + "'"};
    }
    if (reader.out.size() > kMaxRdataBytes) return too_long;
    return std::move(reader.out);
}

}  // namespace steer::config
