#include "control/streams/http/json_answer.h"

#include <array>
#include <string_view>

#include "dataplane/dns/ecs.h"
#include "dataplane/dns/extended_errors.h"
#include "dataplane/dns/rdata_to_text.h"
#include "dataplane/dns/records.h"
#include "dataplane/dns/wire.h"
#include "matchers/octets.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/safe_text.h"

namespace steer::stream {
namespace {

using Bytes = std::span<const std::uint8_t>;

// `text`: UTF-8 without control characters.
void append_string(std::string& to, std::string_view text) {
    to += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') to += '\\';
        to += c;
    }
    to += '"';
}

class JsonWriter {
  public:
    explicit JsonWriter(Bytes response)
        : response_(response),
          flags_(dns::load_be16(&response[2])),
          status_(flags_ & dns::kRcodeMask) {}

    std::optional<JsonAnswer> write() {
        const std::size_t end = questions_end();
        if (end == 0) return std::nullopt;
        dns::RecordReader reader(response_, end);
        std::string questions;
        if (!write_questions(reader, questions)) return std::nullopt;
        constexpr std::array<std::string_view, 3> kSections{"Answer", "Authority", "Additional"};
        for (std::size_t i = 0; i < kSections.size(); ++i) {
            if (!write_section(reader, kSections[i], dns::load_be16(&response_[6 + 2 * i])))
                return std::nullopt;
        }
        JsonAnswer out{head(), cut_};
        out.body += questions;
        out.body += sections_;
        if (!comment_.empty()) {
            out.body += ",\"Comment\":";
            append_string(out.body, comment_);
        }
        out.body += "}\n";
        return out;
    }

  private:
    [[nodiscard]] std::size_t questions_end() const {
        std::size_t at = dns::kHeaderSize;
        for (unsigned left = dns::load_be16(&response_[4]); left > 0; --left) {
            at = dns::skip_name(response_, at);
            if (at == 0 || at + dns::kTypeAndClass > response_.size()) return 0;
            at += dns::kTypeAndClass;
        }
        return at;
    }

    bool write_questions(dns::RecordReader& reader, std::string& to) const {
        const unsigned count = dns::load_be16(&response_[4]);
        if (count > 1) return false;
        to += ",\"Question\":[";
        if (count == 1) {
            dns::Name name;
            const std::size_t end = reader.name(dns::kHeaderSize, &name);
            if (end == 0) return false;
            to += "{\"name\":";
            append_string(to, dns::full_name_to_text(name));
            to += ",\"type\":" + std::to_string(dns::load_be16(&response_[end])) + '}';
        }
        to += ']';
        return true;
    }

    bool write_section(dns::RecordReader& reader, std::string_view key, unsigned count) {
        bool has_records = false;
        for (; count > 0; --count) {
            dns::Record record{};
            if (!reader.next(record)) return false;
            if (record.type == dns::kOpt) {
                take_opt(record);
                continue;
            }
            if (cut_) continue;
            const std::size_t before = sections_.size();
            sections_ += has_records ? "," : ",\"" + std::string(key) + "\":[";
            if (!write_record(reader, record)) return false;
            cut_ = sections_.size() >= kMaxJsonRecords;
            if (cut_) {
                sections_.resize(before);
            } else {
                has_records = true;
            }
        }
        if (has_records) sections_ += ']';
        return true;
    }

    bool write_record(dns::RecordReader& reader, const dns::Record& record) {
        dns::Name owner;
        if (reader.name(record.start, &owner) == 0) return false;
        sections_ += "{\"name\":";
        append_string(sections_, dns::full_name_to_text(owner));
        sections_ += ",\"type\":" + std::to_string(record.type) +
                     ",\"TTL\":" + std::to_string(record.ttl_s) + ",\"data\":";
        append_string(sections_, dns::rdata_to_text(response_, reader, record));
        sections_ += '}';
        return true;
    }

    // RFC 6891 6.1.3: the OPT has the rcode's upper bits.
    void take_opt(const dns::Record& record) {
        const std::uint8_t upper = response_[record.fixed + dns::kTypeBeforeTtl];
        status_ = static_cast<unsigned>(upper) << 4 | (flags_ & dns::kRcodeMask);
        Bytes options = response_.subspan(record.rdata, record.end - record.rdata);
        while (options.size() >= 4) {
            const std::size_t length = dns::load_be16(&options[2]);
            if (length > options.size() - 4) return;
            take_option(dns::load_be16(options.data()), options.subspan(4, length));
            options = options.subspan(4 + length);
        }
    }
    void take_option(std::uint16_t code, Bytes data) {
        if (code == dns::kEcsCode) take_subnet(data);
        if (code != dns::kOptionEde || data.size() < 2 || errors_++ >= kMaxJsonErrors) return;
        const std::uint16_t error = dns::load_be16(data.data());
        if (!comment_.empty()) comment_ += "; ";
        comment_ += "EDE(" + std::to_string(error) + "): " + dns::extended_error_to_text(error);
        if (data.size() > 2) comment_ += " (" + safe_text(chars_of(data.subspan(2))) + ')';
    }
    // As Google's: the address, and the prefix length that the answer is for.
    void take_subnet(Bytes data) {
        if (data.size() < 4) return;
        const bool is_v4 = dns::load_be16(data.data()) == 1;
        const std::size_t size = is_v4 ? 4 : 16;
        if ((!is_v4 && dns::load_be16(data.data()) != 2) || data.size() - 4 > size) return;
        std::array<std::uint8_t, 16> bytes{};
        std::ranges::copy(data.subspan(4), bytes.begin());
        const IpAddress address =
            is_v4 ? IpAddress::from_v4(bytes.data()) : IpAddress::from_v6(bytes.data());
        subnet_ = address.to_string() + '/' + std::to_string(data[3]);
    }

    [[nodiscard]] std::string head() const {
        std::string text = "{\"Status\":" + std::to_string(status_);
        const auto add = [&](std::string_view key, bool value) {
            text.append(",\"").append(key).append(value ? "\":true" : "\":false");
        };
        add("TC", cut_ || (flags_ & dns::kTc) != 0);
        add("RD", (flags_ & dns::kRd) != 0);
        add("RA", (flags_ & dns::kRa) != 0);
        add("AD", (flags_ & dns::kAd) != 0);
        add("CD", (flags_ & dns::kCd) != 0);
        if (!subnet_.empty()) {
            text += ",\"edns_client_subnet\":";
            append_string(text, subnet_);
        }
        return text;
    }

    Bytes response_;
    std::uint16_t flags_;
    unsigned status_;
    std::string sections_, comment_, subnet_;
    unsigned errors_ = 0;
    bool cut_ = false;
};

}  // namespace

std::optional<JsonAnswer> json_answer(Bytes response) {
    if (response.size() < dns::kHeaderSize) return std::nullopt;
    return JsonWriter(response).write();
}

}  // namespace steer::stream
