#include "control/config/rdata_text.h"

#include <algorithm>
#include <array>
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
        if (words_.empty()) return false;
        switch (letter) {
            case '1':
            case '2':
                return number(letter == '1' ? 1 : 2);
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
    if (text == "@") return origin;
    if (text == ".") return {};
    if (text.ends_with('.') && !text.ends_with("\\.")) return text.substr(0, text.size() - 1);
    return origin.empty() ? text : text + "." + origin;
}

Result<std::vector<std::uint8_t>> rdata_of(std::uint16_t type, std::span<const ZoneWord> words,
                                           const std::string& origin) {
    constexpr std::size_t kMostBytes = 65'000;  // with the rest of a message
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
    if (writer.out.size() > kMostBytes) return Error{"the record is longer than a message may be"};
    return std::move(writer.out);
}

}  // namespace steer::config
