#include "control/api/log/response_text.h"

#include <stdbool.h>  // or ldns makes macros of bool, true and false

#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "control/api/log/mnemonics.h"
#include "dataplane/dns/records.h"
#include "dataplane/dns/wire.h"

namespace steer::ops {
namespace {

using Bytes = std::span<const std::uint8_t>;

// RFC 3597 5: data of an unknown type.
std::string generic(Bytes rdata) {
    std::string text = "\\# " + std::to_string(rdata.size());
    if (!rdata.empty()) text += " " + hex(rdata);
    return text;
}

// Types that are not handed to ldns: OPT is printed here, the others have no text form. WKS has one, but ldns 1.8.3 writes
// beyond its buffer when it prints one (1.8.4 mends it).
bool is_left_as_bytes(std::uint16_t type) {
    constexpr std::array kLeft{LDNS_RR_TYPE_NULL, LDNS_RR_TYPE_WKS,  LDNS_RR_TYPE_NXT,
                               LDNS_RR_TYPE_A6,   LDNS_RR_TYPE_SINK, LDNS_RR_TYPE_OPT,
                               LDNS_RR_TYPE_TKEY, LDNS_RR_TYPE_TSIG, LDNS_RR_TYPE_NSAP_PTR};
    return std::ranges::find(kLeft, type) != kLeft.end() ||
           ldns_rr_descript(type) == ldns_rr_descript(0);
}

struct FreeRecord {
    void operator()(ldns_rr* record) const { ldns_rr_free(record); }
};
struct FreeText {
    void operator()(char* text) const { std::free(text); }
};

// ldns prints a tab as it is, and other bytes as the locale says.
void add_clean(std::string& to, std::string_view text) {
    for (const char c : text) {
        const auto b = static_cast<std::uint8_t>(c);
        if (b >= 0x20 && b < 0x7f) {
            to += c;
        } else {
            to += {'\\', static_cast<char>('0' + b / 100), static_cast<char>('0' + b / 10 % 10),
                   static_cast<char>('0' + b % 10)};
        }
    }
}

// As in zone files, with full names. No value: the bytes do not fit the type. ldns accepts records that end early or
// have bytes after their last field.
std::optional<std::string> text_by_ldns(Bytes message, const dns::Record& record) {
    if (is_left_as_bytes(record.type)) return std::nullopt;
    const std::unique_ptr<ldns_rr, FreeRecord> rr(ldns_rr_new());
    if (!rr) return std::nullopt;
    ldns_rr_set_type(rr.get(), static_cast<ldns_rr_type>(record.type));
    std::size_t at = record.rdata - 2;  // the length is read as well
    if (ldns_wire2rdf(rr.get(), message.data(), record.end, &at) != LDNS_STATUS_OK ||
        at != record.end ||
        ldns_rr_rd_count(rr.get()) < ldns_rr_descriptor_minimum(ldns_rr_descript(record.type)))
        return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
        const std::unique_ptr<char, FreeText> field(ldns_rdf2str(ldns_rr_rdf(rr.get(), i)));
        if (!field) return std::nullopt;
        std::string_view text(field.get());
        while (text.ends_with(' '))
            text.remove_suffix(1);
        if (!out.empty() && !text.empty()) out += ' ';
        add_clean(out, text);
    }
    return out;
}

// Prints the records of one message, in order.
class Printer {
  public:
    Printer(Bytes message, std::size_t question_end)
        : message_(message), reader_(message, question_end) {
        dns::Name ignored;
        if (question_end > dns::kHeaderSize) reader_.name(dns::kHeaderSize, &ignored);
    }

    // The next record; false: cut off or malformed.
    bool next(std::string& line) {
        dns::Record record{};
        if (!reader_.next(record)) return false;
        if (record.type == dns::kOpt) {
            line = opt_text(record);
            return true;
        }
        std::size_t at = record.start;
        line = name_at(at) + ". " + std::to_string(record.ttl_s) + " " + class_name(record.klass) +
               " " + type_name(record.type) + " " + rdata_text(record);
        return true;
    }

  private:
    [[nodiscard]] Bytes rdata(const dns::Record& record) const {
        return message_.subspan(record.rdata, record.end - record.rdata);
    }
    // The name at `at`, which goes on to what follows it. The reader has checked it.
    std::string name_at(std::size_t& at) {
        dns::Name name;
        at = reader_.name(at, &name);
        const std::string text = at != 0 ? dns::name_to_text(name.bytes()) : "?";
        return text == "." ? "" : text;
    }

    std::string opt_text(const dns::Record& record) const {
        const std::uint8_t* const fixed = &message_[record.fixed];
        const bool dnssec_ok = (fixed[6] & 0x80) != 0;
        std::string text = ";; EDNS: version " + std::to_string(fixed[5]) + ", flags" +
                           (dnssec_ok ? " do" : "") + "; udp " +
                           std::to_string(dns::load_be16(fixed + 2));
        if (record.end > record.rdata) text += "; options " + hex(rdata(record));
        return text;
    }

    [[nodiscard]] std::string rdata_text(const dns::Record& record) const {
        const bool has_addresses_elsewhere =
            record.klass != dns::kIn && (record.type == dns::kA || record.type == dns::kAaaa);
        auto text = has_addresses_elsewhere ? std::nullopt : text_by_ldns(message_, record);
        return text ? *std::move(text) : generic(rdata(record));
    }

    Bytes message_;
    dns::RecordReader reader_;
};

std::string flags_text(std::uint16_t flags) {
    struct Bit {
        std::uint16_t bit;
        std::string_view name;
    };
    constexpr Bit kBits[] = {{dns::kQr, "qr"}, {dns::kAa, "aa"}, {dns::kTc, "tc"}, {dns::kRd, "rd"},
                             {dns::kRa, "ra"}, {dns::kAd, "ad"}, {dns::kCd, "cd"}};
    std::string text;
    for (const Bit& b : kBits) {
        if ((flags & b.bit) != 0) text += " " + std::string(b.name);
    }
    return text;
}

}  // namespace

std::string hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t b : bytes)
        out += {kDigits[b >> 4], kDigits[b & 15]};
    return out;
}

std::vector<std::string> response_lines(Bytes message) {
    if (message.size() < dns::kHeaderSize) return {";; fewer than 12 bytes"};
    const std::uint16_t flags = dns::load_be16(&message[2]);
    const auto count = [&](std::size_t i) { return dns::load_be16(&message[4 + 2 * i]); };
    std::vector<std::string> lines;
    lines.push_back(";; status " + rcode_name(flags & dns::kRcodeMask) + ", id " +
                    std::to_string(dns::load_be16(message.data())) + ", flags" + flags_text(flags) +
                    "; question " + std::to_string(count(0)) + ", answer " +
                    std::to_string(count(1)) + ", authority " + std::to_string(count(2)) +
                    ", additional " + std::to_string(count(3)));
    std::size_t at = dns::kHeaderSize;
    if (count(0) == 1) {
        const std::size_t length = dns::plain_name_length(message.subspan(at));
        if (length == 0 || at + length + 4 > message.size()) {
            lines.emplace_back(";; cut off or malformed in the question");
            return lines;
        }
        at += length + 4;
    }
    constexpr std::string_view kSections[] = {"answer", "authority", "additional"};
    Printer printer(message, at);
    for (std::size_t section = 0; section < 3; ++section) {
        for (unsigned left = count(section + 1); left > 0; --left) {
            std::string line;
            if (!printer.next(line)) {
                lines.push_back(";; cut off or malformed in the " +
                                std::string(kSections[section]) + " section");
                return lines;
            }
            lines.push_back(std::move(line));
        }
    }
    return lines;
}

}  // namespace steer::ops
