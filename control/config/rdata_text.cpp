#include "control/config/rdata_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>

#include "control/config/dns_names.h"
#include "control/config/svcb_text.h"
#include "control/config/values.h"
#include "control/config/zone_bytes.h"
#include "dataplane/dns/name.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// How the RDATA of a type is written: a letter each for what one word is.
//   1 2  a number of so many bytes      t  a number or a time of four bytes      n  a name
//   s  a <character-string>             S  one or more of them                   v  text up to the end
//   a b  an IPv4, IPv6 address          x  hex digits up to the end              p  SvcParams
//   4  a number of four bytes           B  base64 up to the end                  T  types, as NSEC lists them
//   q  a type                           d  a time as RRSIG has it, or seconds    l  salt in hex, or '-' for none
//   h  a hash in base32                 L  64 bits in four groups of hex digits  6 8  so many bytes in hex, with '-' between
struct Form {
    std::string_view type, letters, example;
};
constexpr std::array kForms{
    Form{"A", "a", "192.0.2.1"},
    Form{"AAAA", "b", "2001:db8::1"},
    Form{"CNAME", "n", "www.example.org."},
    Form{"DNAME", "n", "example.org."},
    Form{"NS", "n", "ns.example.org."},
    Form{"PTR", "n", "www.example.org."},
    Form{"MX", "2n", "10 mail.example.org."},
    Form{"KX", "2n", "10 kx.example.org."},
    Form{"TXT", "S", "\"text\""},
    Form{"SPF", "S", "\"v=spf1 -all\""},
    Form{"SRV", "222n", "0 5 5060 sip.example.org."},
    Form{"SOA", "nnttttt", "ns.example.org. admin.example.org. 1 3600 1200 604800 300"},
    Form{"CAA", "1sv", "0 issue \"ca.example.org\""},
    Form{"NAPTR", "22sssn", "100 10 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.org."},
    Form{"TLSA", "111x", "3 1 1 0123ab"},
    Form{"SMIMEA", "111x", "3 1 1 0123ab"},
    Form{"SSHFP", "11x", "4 2 0123ab"},
    Form{"DS", "211x", "12345 13 2 0123ab"},
    Form{"URI", "22v", "10 1 \"https://www.example.org/\""},
    Form{"HINFO", "ss", "\"PC\" \"Linux\""},
    Form{"RP", "nn", "admin.example.org. info.example.org."},
    Form{"MINFO", "nn", "admin.example.org. errors.example.org."},
    Form{"TALINK", "nn", "a.example.org. b.example.org."},
    Form{"MB", "n", "host.example.org."},
    Form{"MD", "n", "host.example.org."},
    Form{"MF", "n", "host.example.org."},
    Form{"MG", "n", "member.example.org."},
    Form{"MR", "n", "new.example.org."},
    Form{"NSAP-PTR", "n", "host.example.org."},
    Form{"AFSDB", "2n", "1 afs.example.org."},
    Form{"RT", "2n", "10 relay.example.org."},
    Form{"LP", "2n", "10 l64.example.org."},
    Form{"PX", "2nn", "10 map.example.org. mapx400.example.org."},
    Form{"X25", "s", "311061700956"},
    Form{"ISDN", "S", "150862028003217"},
    Form{"GPOS", "sss", "-32.6882 116.8652 10.0"},
    Form{"AVC", "S", "\"app-name:example\""},
    Form{"NINFO", "S", "\"text\""},
    Form{"RESINFO", "S", "qnamemin exterr=15-17"},
    Form{"WALLET", "S", "BTC 1example"},
    Form{"CDS", "211x", "12345 13 2 0123ab"},
    Form{"DLV", "211x", "12345 13 2 0123ab"},
    Form{"TA", "211x", "12345 13 2 0123ab"},
    Form{"DNSKEY", "211B", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"CDNSKEY", "211B", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"KEY", "211B", "256 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"RKEY", "211B", "0 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"CERT", "221B", "1 0 0 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"RRSIG", "q11tdd2nB", "A 13 2 3600 20300101000000 20260101000000 12345 example.org. mdss"},
    Form{"SIG", "q11tdd2nB", "A 13 2 3600 20300101000000 20260101000000 12345 example.org. mdss"},
    Form{"NSEC", "nT", "next.example.org. A MX RRSIG NSEC"},
    Form{"NSEC3", "112lhT", "1 0 10 ab12 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG"},
    Form{"NSEC3PARAM", "112l", "1 0 10 ab12"},
    Form{"CSYNC", "42T", "66 3 A NS AAAA"},
    Form{"ZONEMD", "411x", "2026010100 1 1 0123ab"},
    Form{"DHCID", "B", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="},
    Form{"OPENPGPKEY", "B", "mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"EUI48", "6", "00-00-5e-00-53-2a"},
    Form{"EUI64", "8", "00-00-5e-ef-10-00-00-2a"},
    Form{"NID", "2L", "10 0014:4fff:ff20:ee64"},
    Form{"L64", "2L", "10 2001:0db8:1140:1000"},
    Form{"L32", "2a", "10 192.0.2.1"},
    Form{"SVCB", "2np", "1 . alpn=h2"},
    Form{"HTTPS", "2np", "1 . alpn=h2,h3"},
};

const Form* form_of(std::uint16_t type) {
    const auto* at = std::find_if(kForms.begin(), kForms.end(),
                                  [&](const Form& f) { return parse_qtype(f.type) == type; });
    return at == kForms.end() ? nullptr : at;
}

class Writer {
  public:
    Writer(std::span<const ZoneWord> words, const std::string& origin)
        : words_(words), origin_(origin) {}

    // False: the next word is not that.
    bool write(char letter) {
        if (letter == 'p') return parameters();
        if (letter == 'T') return types();
        if (words_.empty()) return false;
        switch (letter) {
            case '1':
            case '2':
            case '4':
                return number(static_cast<unsigned>(letter - '0'));
            case '6':
            case '8':
                return octets(static_cast<std::size_t>(letter - '0'));
            case 'q':
                return type();
            case 'd':
                return date();
            case 'l':
                return salt();
            case 'h':
                return hash();
            case 'L':
                return locator();
            case 'B':
                return base64();
            case 't':
                return time();
            case 'n':
                return name();
            case 's':
                return string();
            case 'S':
                while (!words_.empty()) {
                    if (!string()) return false;
                }
                return true;
            case 'v':
                return text();
            case 'x':
                return hex();
            default:
                return address(letter == 'b');
        }
    }
    [[nodiscard]] bool at_end() const { return words_.empty(); }
    std::vector<std::uint8_t> out;
    std::string trouble;  // if it is more than that a word is wrong

  private:
    const std::string& take() {
        const std::string& word = words_.front().text;
        words_ = words_.subspan(1);
        return word;
    }
    bool number(unsigned bytes) {
        const auto value = parse_integer(take());
        if (!value || *value >> (8 * bytes) != 0) return false;
        add_number(out, *value, bytes);
        return true;
    }
    bool time() {
        const std::string& word = take();
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
    bool name() {
        const std::string text = absolute_name(take(), origin_);
        const auto wire = dns::name_from_text(text.empty() ? "." : text);
        if (!wire) return false;
        out.insert(out.end(), wire->begin(), wire->end());
        return true;
    }
    bool string() {
        const auto bytes = unescaped(take());
        if (!bytes || bytes->size() > UINT8_MAX) return false;
        out.push_back(static_cast<std::uint8_t>(bytes->size()));
        out.insert(out.end(), bytes->begin(), bytes->end());
        return true;
    }
    bool text() {
        const auto bytes = unescaped(take());
        if (!bytes) return false;
        out.insert(out.end(), bytes->begin(), bytes->end());
        return true;
    }
    bool hex() {
        std::string digits;
        while (!words_.empty())
            digits += take();
        const auto bytes = bytes_of_hex(digits);
        if (!bytes) return false;
        out.insert(out.end(), bytes->begin(), bytes->end());
        return true;
    }
    bool base64() {
        std::string digits;
        while (!words_.empty())
            digits += take();
        const auto bytes = bytes_of_base64(digits);
        if (!bytes) return false;
        out.insert(out.end(), bytes->begin(), bytes->end());
        return true;
    }
    bool octets(std::size_t count) {
        std::string digits = take();
        if (digits.size() != count * 3 - 1) return false;
        for (std::size_t i = 2; i < digits.size(); i += 3)
            if (digits[i] != '-') return false;
        std::erase(digits, '-');
        const auto bytes = bytes_of_hex(digits);
        if (!bytes || bytes->size() != count) return false;
        out.insert(out.end(), bytes->begin(), bytes->end());
        return true;
    }
    // RFC 6742 2: four groups of up to four hex digits.
    bool locator() {
        std::string_view rest = take();
        for (unsigned group = 0; group < 4; ++group) {
            const auto colon = rest.find(':');
            if ((colon == std::string_view::npos) != (group == 3)) return false;
            const std::string_view digits = rest.substr(0, colon);
            if (digits.empty() || digits.size() > 4) return false;
            const auto bytes = bytes_of_hex(std::string(4 - digits.size(), '0').append(digits));
            if (!bytes) return false;
            out.insert(out.end(), bytes->begin(), bytes->end());
            if (group < 3) rest.remove_prefix(colon + 1);
        }
        return true;
    }
    bool type() {
        const auto number = parse_qtype(take());
        if (!number) return false;
        add_number(out, *number, 2);
        return true;
    }
    // YYYYMMDDHHmmSS, or seconds since 1970 (RFC 4034 3.2).
    bool date() {
        using namespace std::chrono;
        const std::string& word = take();
        constexpr std::size_t kDigits = 14;
        const auto whole = parse_integer(word);
        if (!whole) return false;
        if (word.size() != kDigits) {
            if (*whole > UINT32_MAX) return false;
            add_number(out, *whole, 4);
            return true;
        }
        const auto part = [&](std::uint64_t divisor, std::uint64_t modulus) {
            return static_cast<unsigned>(*whole / divisor % modulus);
        };
        const year_month_day day{year{static_cast<int>(*whole / 10'000'000'000)},
                                 month{part(100'000'000, 100)},
                                 std::chrono::day{part(1'000'000, 100)}};
        const unsigned h = part(10'000, 100), m = part(100, 100), s = part(1, 100);
        if (!day.ok() || h > 23 || m > 59 || s > 59) return false;
        const auto since = sys_days(day).time_since_epoch() + hours(h) + minutes(m) + seconds(s);
        add_number(out, static_cast<std::uint32_t>(seconds(since).count()),
                   4);  // serial arithmetic
        return true;
    }
    bool salt() {
        const std::string& word = take();
        const auto bytes = bytes_of_hex(word == "-" ? std::string_view() : std::string_view(word));
        return bytes && with_length(*bytes);
    }
    // Base32 with the extended hex alphabet, without padding (RFC 5155 3.3).
    bool hash() {
        std::vector<std::uint8_t> bytes;
        std::uint32_t bits = 0;
        unsigned count = 0;
        for (const char c : take()) {
            const int digit = c >= '0' && c <= '9'   ? c - '0'
                              : c >= 'a' && c <= 'v' ? c - 'a' + 10
                              : c >= 'A' && c <= 'V' ? c - 'A' + 10
                                                     : -1;
            if (digit < 0) return false;
            bits = bits << 5 | static_cast<std::uint32_t>(digit);
            count += 5;
            if (count < 8) continue;
            count -= 8;
            bytes.push_back(static_cast<std::uint8_t>(bits >> count));
            bits &= (1U << count) - 1;
        }
        return !bytes.empty() && with_length(bytes);
    }
    bool with_length(const std::vector<std::uint8_t>& bytes) {
        if (bytes.size() > UINT8_MAX) return false;
        out.push_back(static_cast<std::uint8_t>(bytes.size()));
        out.insert(out.end(), bytes.begin(), bytes.end());
        return true;
    }
    // RFC 4034 4.1.2: a bitmap for each 256 types.
    bool types() {
        std::map<std::uint8_t, std::vector<std::uint8_t>> windows;
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
            with_length(bitmap);
        }
        return true;
    }
    bool address(bool v6) {
        const std::string& word = take();
        const auto ip = IpAddress::parse(word);
        if (!ip || (word.find(':') != std::string::npos) != v6) return false;
        if (v6) {
            out.insert(out.end(), ip->bytes.begin(), ip->bytes.end());
        } else {
            out.insert(out.end(), ip->v4(), ip->v4() + 4);
        }
        return true;
    }
    bool parameters() {
        const auto parameters = svc_parameters(words_);
        words_ = {};
        if (!parameters) {
            trouble = parameters.error().text;
            return false;
        }
        out.insert(out.end(), parameters->begin(), parameters->end());
        return true;
    }

    std::span<const ZoneWord> words_;
    const std::string& origin_;
};

// RFC 3597 5: "\# LENGTH HEX".
Result<std::vector<std::uint8_t>> unknown_rdata(std::span<const ZoneWord> words) {
    std::string digits;
    for (const ZoneWord& word : words.subspan(std::min<std::size_t>(words.size(), 2)))
        digits += word.text;
    const auto length = words.size() < 2 ? std::nullopt : parse_integer(words[1].text);
    auto bytes = bytes_of_hex(digits);
    if (!length || !bytes || bytes->size() != *length)
        return Error{"expected '\\#', the number of bytes, and these as hex digits"};
    return *std::move(bytes);
}

}  // namespace

std::string absolute_name(const std::string& text, const std::string& origin) {
    return matchers::absolute_zone_name(text, origin);
}

Result<std::vector<std::uint8_t>> rdata_of(std::uint16_t type, std::span<const ZoneWord> words,
                                           const std::string& origin) {
    const bool as_bytes = !words.empty() && words[0].text == "\\#" && !words[0].quoted;
    if (as_bytes) return unknown_rdata(words);
    const Form* const form = form_of(type);
    if (form == nullptr) {
        return Error{"records of type " + std::to_string(type) +
                     " are written as in RFC 3597: '\\#', the number of bytes, and these as hex"};
    }
    Writer writer(words, origin);
    for (const char letter : form->letters) {
        if (writer.write(letter)) continue;
        if (!writer.trouble.empty()) return Error{writer.trouble};
        return Error{"expected " + std::string(form->type) + " as in '" +
                     std::string(form->example) + "'"};
    }
    if (!writer.at_end()) {
        return Error{"more words than " + std::string(form->type) + " has: expected it as in '" +
                     std::string(form->example) + "'"};
    }
    if (writer.out.size() > kMostRdataBytes)
        return Error{"the record is longer than a message may be"};
    return std::move(writer.out);
}

}  // namespace steer::config
