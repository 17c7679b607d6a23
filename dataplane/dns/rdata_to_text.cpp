#include "dataplane/dns/rdata_to_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>

#include "dataplane/dns/svc_keys.h"
#include "dataplane/dns/type_names.h"

namespace steer::dns {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The fields of a type's RDATA, one letter each:
//   1 2 4  a number of that many bytes     n  a name
//   a A    an IPv4, IPv6 address           t  a type
//   T      a time (RFC 4034 3.2)           g  four groups of 16 bits (RFC 6742 2.2)
//   s      a quoted string                 w  a string of letters and digits, unquoted
//   -      a salt (RFC 5155 3.3)           #  a hash in base32 (RFC 5155 3.3)
// and what is last, up to the end:
//   S  one or more quoted strings          Q  one quoted string without a length
//   H  hex                                 B  base64
//   e  hex with dashes                     M  a bitmap of types (RFC 4034 4.1.2)
//   P  SvcParams (RFC 9460 2.1)
struct TextForm {
    std::uint16_t type;
    std::string_view fields;
};
constexpr std::array kForms{
    TextForm{kA, "a"},
    TextForm{kNs, "n"},
    TextForm{3, "n"},  // MD
    TextForm{4, "n"},  // MF
    TextForm{kCname, "n"},
    TextForm{kSoa, "nn44444"},
    TextForm{7, "n"},  // MB
    TextForm{8, "n"},  // MG
    TextForm{9, "n"},  // MR
    TextForm{kPtr, "n"},
    TextForm{kHinfo, "ss"},
    TextForm{14, "nn"},  // MINFO
    TextForm{kMx, "2n"},
    TextForm{kTxt, "S"},
    TextForm{17, "nn"},         // RP
    TextForm{18, "2n"},         // AFSDB
    TextForm{19, "s"},          // X25
    TextForm{20, "S"},          // ISDN
    TextForm{21, "2n"},         // RT
    TextForm{23, "n"},          // NSAP-PTR
    TextForm{24, "t114TT2nB"},  // SIG
    TextForm{25, "211B"},       // KEY
    TextForm{26, "2nn"},        // PX
    TextForm{27, "sss"},        // GPOS
    TextForm{kAaaa, "A"},
    TextForm{kSrv, "222n"},
    TextForm{35, "22sssn"},  // NAPTR
    TextForm{36, "2n"},      // KX
    TextForm{37, "221B"},    // CERT
    TextForm{kDname, "n"},
    TextForm{kDs, "211H"},
    TextForm{44, "11H"},  // SSHFP
    TextForm{kRrsig, "t114TT2nB"},
    TextForm{kNsec, "nM"},
    TextForm{kDnskey, "211B"},
    TextForm{49, "B"},  // DHCID
    TextForm{kNsec3, "112-#M"},
    TextForm{51, "112-"},  // NSEC3PARAM
    TextForm{52, "111H"},  // TLSA
    TextForm{53, "111H"},  // SMIMEA
    TextForm{56, "S"},     // NINFO
    TextForm{57, "211B"},  // RKEY
    TextForm{58, "nn"},    // TALINK
    TextForm{59, "211H"},  // CDS
    TextForm{60, "211B"},  // CDNSKEY
    TextForm{61, "B"},     // OPENPGPKEY
    TextForm{62, "42M"},   // CSYNC
    TextForm{kZonemd, "411H"},
    TextForm{kSvcb, "2nP"},
    TextForm{kHttps, "2nP"},
    TextForm{99, "S"},        // SPF
    TextForm{104, "2g"},      // NID
    TextForm{105, "2a"},      // L32
    TextForm{106, "2g"},      // L64
    TextForm{107, "2n"},      // LP
    TextForm{108, "e"},       // EUI48
    TextForm{109, "e"},       // EUI64
    TextForm{256, "22Q"},     // URI
    TextForm{257, "1wQ"},     // CAA
    TextForm{258, "S"},       // AVC
    TextForm{261, "S"},       // RESINFO
    TextForm{262, "S"},       // WALLET
    TextForm{32768, "211H"},  // TA
    TextForm{32769, "211H"},  // DLV
};
constexpr std::uint16_t kEui48 = 108;

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase32HexDigits = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The bits of `bytes`, `width` a digit; zeros after the last one.
void append_digits(std::string& to, Bytes bytes, std::string_view digits, unsigned width) {
    unsigned bits = 0;
    unsigned count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = (bits << 8 | byte) & 0xffffU;
        for (count += 8; count >= width; count -= width)
            to += digits[bits >> (count - width) & ((1U << width) - 1)];
    }
    if (count > 0) to += digits[bits << (width - count) & ((1U << width) - 1)];
}
void append_hex(std::string& to, Bytes bytes) {
    append_digits(to, bytes, kHexDigits, 4);
}
void append_base64(std::string& to, Bytes bytes) {
    append_digits(to, bytes, kBase64Digits, 6);
    to.append((3 - bytes.size() % 3) % 3, '=');
}

// As in a quoted string (RFC 1035 5.1).
void append_octet(std::string& to, std::uint8_t c) {
    if (c < 0x20 || c >= 0x7f) {
        to += {'\\', static_cast<char>('0' + c / 100), static_cast<char>('0' + c / 10 % 10),
               static_cast<char>('0' + c % 10)};
        return;
    }
    if (c == '"' || c == '\\') to += '\\';
    to += static_cast<char>(c);
}
void append_quoted(std::string& to, Bytes bytes) {
    to += '"';
    for (const std::uint8_t c : bytes)
        append_octet(to, c);
    to += '"';
}

bool is_alphanumeric(std::uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void append_address(std::string& to, int family, const std::uint8_t* bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    to += ::inet_ntop(family, bytes, text.data(), text.size());
}

std::string time_text(std::uint32_t seconds) {
    const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02d",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

// ---- SvcParams

using namespace svc_keys;

std::string svc_key_text(std::uint16_t key) {
    return key < kNames.size() ? std::string(kNames[key]) : "key" + std::to_string(key);
}

// The items of a list of `size` bytes each, with a comma between them. False: no whole number of
// items, or none.
template <class Append>
bool append_items(std::string& to, Bytes value, std::size_t size, Append append) {
    if (value.empty() || value.size() % size != 0) return false;
    for (std::size_t at = 0; at < value.size(); at += size) {
        if (at != 0) to += ',';
        append(to, &value[at]);
    }
    return true;
}

// RFC 9460 A.1: a comma or backslash in an item is escaped, and then as in any string.
bool append_protocols(std::string& to, Bytes value) {
    std::string list;
    bool needs_quotes = false;
    while (!value.empty()) {
        const std::size_t length = value[0];
        if (length == 0 || length >= value.size()) return false;
        if (!list.empty()) list += ',';
        for (const std::uint8_t c : value.subspan(1, length)) {
            needs_quotes = needs_quotes ||
                           !(is_alphanumeric(c) || c == '-' || c == '.' || c == '/' || c == '_');
            if (c == ',' || c == '\\') list += "\\\\";
            append_octet(list, c);
        }
        value = value.subspan(1 + length);
    }
    if (list.empty()) return false;
    to += needs_quotes ? '"' + list + '"' : list;
    return true;
}

bool append_svc_value(std::string& to, std::uint16_t key, Bytes value) {
    switch (key) {
        case mandatory:
            return append_items(to, value, 2, [](std::string& list, const std::uint8_t* item) {
                list += svc_key_text(load_be16(item));
            });
        case alpn:
            return append_protocols(to, value);
        case port:
            if (value.size() != 2) return false;
            to += std::to_string(load_be16(value.data()));
            return true;
        case ipv4hint:
            return append_items(to, value, 4, [](std::string& list, const std::uint8_t* item) {
                append_address(list, AF_INET, item);
            });
        case ipv6hint:
            return append_items(to, value, 16, [](std::string& list, const std::uint8_t* item) {
                append_address(list, AF_INET6, item);
            });
        case ech:
            if (value.empty()) return false;
            append_base64(to, value);
            return true;
        default:
            append_quoted(to, value);
            return true;
    }
}

// ---- one record

class RdataText {
  public:
    RdataText(Bytes message, RecordReader& reader, const Record& record)
        : message_(message), reader_(reader), record_(record), at_(record.rdata) {}

    // No value: the data does not fit.
    std::optional<std::string> of(std::string_view fields) {
        for (const char field : fields) {
            if (!text_.empty()) text_ += ' ';
            if (!add(field)) return std::nullopt;
        }
        if (at_ != record_.end) return std::nullopt;
        while (text_.ends_with(' '))  // the last field is empty
            text_.pop_back();
        return std::move(text_);
    }

  private:
    [[nodiscard]] Bytes rest() const { return message_.subspan(at_, record_.end - at_); }
    [[nodiscard]] bool has(std::size_t bytes) const { return record_.end - at_ >= bytes; }
    Bytes take(std::size_t bytes) {
        const Bytes taken = rest().first(bytes);
        at_ += bytes;
        return taken;
    }

    bool add(char field) {
        switch (field) {
            case '1':
                return has(1) && add_text(std::to_string(take(1)[0]));
            case '2':
                return has(2) && add_text(std::to_string(load_be16(take(2).data())));
            case '4':
                return has(4) && add_text(std::to_string(load_be32(take(4).data())));
            case 'a':
                if (!has(4)) return false;
                append_address(text_, AF_INET, take(4).data());
                return true;
            case 'A':
                if (!has(16)) return false;
                append_address(text_, AF_INET6, take(16).data());
                return true;
            case 't':
                return has(2) && add_text(type_to_text(load_be16(take(2).data())));
            case 'T':
                return has(4) && add_text(time_text(load_be32(take(4).data())));
            case 'n':
                return add_name();
            case 'g':
                return add_groups();
            case 's':
                return add_string();
            case 'w':
                return add_word();
            case '-':
                return add_salt();
            case '#':
                return add_hash();
            default:
                return add_last(field);
        }
    }

    bool add_last(char field) {
        switch (field) {
            case 'S':
                return add_strings();
            case 'Q':
                append_quoted(text_, take(rest().size()));
                return true;
            case 'M':
                return add_types();
            case 'P':
                return add_parameters();
            default:
                break;
        }
        const Bytes bytes = take(rest().size());
        if (bytes.empty()) return false;
        if (field == 'H') append_hex(text_, bytes);
        if (field == 'B') append_base64(text_, bytes);
        return field != 'e' || add_hardware_address(bytes);
    }

    bool add_text(const std::string& text) {
        text_ += text;
        return true;
    }
    bool add_name() {
        Name name;
        if (!has(1)) return false;
        const std::size_t next = reader_.name(at_, &name);
        if (next == 0 || next > record_.end) return false;
        at_ = next;
        return add_text(full_name_to_text(name));
    }
    // RFC 6742 2.2.2, with all digits.
    bool add_groups() {
        if (!has(8)) return false;
        for (int i = 0; i < 4; ++i) {
            if (i != 0) text_ += ':';
            append_hex(text_, take(2));
        }
        return true;
    }
    bool add_hardware_address(Bytes bytes) {
        if (bytes.size() != (record_.type == kEui48 ? 6U : 8U)) return false;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (i != 0) text_ += '-';
            append_hex(text_, bytes.subspan(i, 1));
        }
        return true;
    }
    // The bytes behind a length; no value: cut off.
    std::optional<Bytes> take_counted() {
        if (!has(1) || !has(1U + rest()[0])) return std::nullopt;
        const std::size_t length = take(1)[0];
        return take(length);
    }
    bool add_string() {
        const auto bytes = take_counted();
        if (bytes) append_quoted(text_, *bytes);
        return bytes.has_value();
    }
    bool add_strings() {
        if (!add_string()) return false;
        while (has(1)) {
            text_ += ' ';
            if (!add_string()) return false;
        }
        return true;
    }
    bool add_word() {
        const auto bytes = take_counted();
        if (!bytes || bytes->empty() || !std::ranges::all_of(*bytes, is_alphanumeric)) return false;
        text_.append(bytes->begin(), bytes->end());
        return true;
    }
    bool add_salt() {
        const auto bytes = take_counted();
        if (!bytes) return false;
        if (bytes->empty()) text_ += '-';
        append_hex(text_, *bytes);
        return true;
    }
    bool add_hash() {
        const auto bytes = take_counted();
        if (!bytes || bytes->empty()) return false;
        append_digits(text_, *bytes, kBase32HexDigits, 5);
        return true;
    }
    bool add_types() {
        int window = -1;
        bool is_first = true;
        while (has(1)) {
            if (!has(2)) return false;
            const Bytes head = take(2);
            const std::size_t length = head[1];
            if (head[0] <= window || length == 0 || length > 32 || !has(length)) return false;
            window = head[0];
            const Bytes bits = take(length);
            for (unsigned i = 0; i < 8 * length; ++i) {
                if ((bits[i / 8] & (0x80U >> (i % 8))) == 0) continue;
                if (!is_first) text_ += ' ';
                is_first = false;
                text_ +=
                    type_to_text(static_cast<std::uint16_t>(window * 256 + static_cast<int>(i)));
            }
        }
        return true;
    }
    bool add_parameters() {
        int last = -1;
        while (has(1)) {
            if (!has(4)) return false;
            const std::uint16_t key = load_be16(take(2).data());
            const std::size_t length = load_be16(take(2).data());
            if (key <= last || !has(length)) return false;
            if (last >= 0) text_ += ' ';
            last = key;
            text_ += svc_key_text(key);
            const Bytes value = take(length);
            if (value.empty() && key != alpn && key != port && key != ipv4hint && key != ech &&
                key != ipv6hint && key != mandatory)
                continue;
            if (key == no_default_alpn) return false;
            text_ += '=';
            if (!append_svc_value(text_, key, value)) return false;
        }
        return true;
    }

    Bytes message_;
    RecordReader& reader_;
    const Record& record_;
    std::size_t at_;
    std::string text_;
};

}  // namespace

std::string full_name_to_text(const Name& name) {
    std::string text = name_to_text(name.bytes());
    if (text != ".") text += '.';
    return text;
}

std::string rdata_to_text(Bytes message, RecordReader& reader, const Record& record) {
    const auto* const form = std::ranges::find(kForms, record.type, &TextForm::type);
    const bool has_addresses_elsewhere =
        record.klass != kIn && (record.type == kA || record.type == kAaaa);
    if (form != kForms.end() && !has_addresses_elsewhere) {
        if (auto text = RdataText(message, reader, record).of(form->fields))
            return *std::move(text);
    }
    const Bytes bytes = message.subspan(record.rdata, record.end - record.rdata);
    std::string text = "\\# " + std::to_string(bytes.size());
    if (!bytes.empty()) text += ' ';
    append_hex(text, bytes);
    return text;
}

}  // namespace steer::dns
