#include "control/ops/response_text.h"

#include <optional>
#include <string_view>

#include "control/ops/mnemonics.h"
#include "dataplane/dns/records.h"
#include "dataplane/dns/wire.h"
#include "matchers/prefix/ip_address.h"

namespace steer::ops {
namespace {

using Bytes = std::span<const std::uint8_t>;

// RFC 3597 5: data of a type that is not known here.
std::string generic(Bytes rdata) {
    std::string text = "\\# " + std::to_string(rdata.size());
    if (!rdata.empty()) text += " " + hex(rdata);
    return text;
}

// RFC 1035 5.1: quoted strings, with \" \\ and \DDD.
std::optional<std::string> strings_text(Bytes rdata) {
    std::string out;
    for (std::size_t at = 0; at < rdata.size();) {
        const std::size_t length = rdata[at++];
        if (length > rdata.size() - at) return std::nullopt;
        out += out.empty() ? "\"" : " \"";
        for (const std::uint8_t b : rdata.subspan(at, length)) {
            if (b == '"' || b == '\\') {
                out += {'\\', static_cast<char>(b)};
            } else if (b >= 0x20 && b < 0x7f) {
                out += static_cast<char>(b);
            } else {
                out += {'\\', static_cast<char>('0' + b / 100),
                        static_cast<char>('0' + b / 10 % 10), static_cast<char>('0' + b % 10)};
            }
        }
        out += '"';
        at += length;
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

    std::string rdata_text(const dns::Record& record) {
        const Bytes data = rdata(record);
        std::size_t at = record.rdata;
        switch (record.type) {
            case dns::kA:
                if (record.klass == dns::kIn) return IpAddress::from_v4(data.data()).to_string();
                break;
            case dns::kAaaa:
                if (record.klass == dns::kIn) return IpAddress::from_v6(data.data()).to_string();
                break;
            case dns::kCname:
            case dns::kNs:
            case dns::kPtr:
            case dns::kDname:
                return name_at(at) + ".";
            case dns::kMx:
                return numbers_and_name(record, 1);
            case dns::kSrv:
                return numbers_and_name(record, 3);
            case dns::kSoa:
                return soa_text(record);
            case dns::kTxt:
                if (auto text = strings_text(data)) return *text;
                break;
            default:
                break;
        }
        return generic(data);
    }
    std::string numbers_and_name(const dns::Record& record, std::size_t count) {
        std::string text;
        std::size_t at = record.rdata;
        for (; count > 0; --count, at += 2) {
            text += std::to_string(dns::load_be16(&message_[at])) + " ";
        }
        return text + name_at(at) + ".";
    }
    std::string soa_text(const dns::Record& record) {
        constexpr int kNumbers = 5;
        std::size_t at = record.rdata;
        std::string text = name_at(at) + ".";
        text += " " + name_at(at) + ".";
        for (int i = 0; i < kNumbers; ++i, at += 4) {
            text += " " + std::to_string(dns::load_be32(&message_[at]));
        }
        return text;
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
