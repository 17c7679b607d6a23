#include "control/mdns/message.h"

#include <algorithm>

#include "dataplane/dns/query.h"
#include "dataplane/dns/rdata.h"

namespace steer::mdns {
namespace {

constexpr std::size_t kQuestionBytes = 4;  // type, class
constexpr std::size_t kFixedBytes = 10;    // type, class, TTL, length of the RDATA

unsigned labels_of(const dns::Name& name) {
    unsigned labels = 0;
    for (std::size_t at = 0; name.wire[at] != 0; at += 1U + name.wire[at])
        ++labels;
    return labels;
}

class PacketReader {
  public:
    explicit PacketReader(std::span<const std::uint8_t> packet) : packet_(packet) {}

    bool question(Question& out) {
        if (!name(out.name) || packet_.size() - at_ < kQuestionBytes) return false;
        out.key = key_of(out.name);
        out.type = dns::load_be16(&packet_[at_]);
        out.class_at = at_ + 2;
        out.klass = dns::load_be16(&packet_[out.class_at]);
        at_ += kQuestionBytes;
        return true;
    }

    bool record(Record& out) {
        if (!name(out.owner) || packet_.size() - at_ < kFixedBytes) return false;
        const std::uint8_t* const fixed = &packet_[at_];
        out.key = key_of(out.owner);
        out.type = dns::load_be16(fixed);
        out.klass = dns::load_be16(fixed + 2);
        out.ttl_s = dns::load_be32(fixed + 4);
        const std::size_t length = dns::load_be16(fixed + 8);
        at_ += kFixedBytes;
        if (packet_.size() - at_ < length) return false;
        out.rdata = packet_.subspan(at_, length);
        const std::size_t begin = at_;
        if (!rdata(out)) return false;
        at_ = begin + length;
        return true;
    }

    [[nodiscard]] bool is_at_end() const { return at_ == packet_.size(); }

  private:
    bool name(dns::Name& out, bool* compressed = nullptr) {
        const std::size_t after = dns::read_name(packet_, at_, starts_, &out, compressed);
        if (after == 0) return false;
        at_ = after;
        labels_ += labels_of(out);
        return labels_ <= kMaxLabels;
    }

    // `at_` is at the first byte of the RDATA.
    bool rdata(Record& out) {
        const std::size_t length = out.rdata.size();
        const bool is_in = (out.klass & ~kTopBit) == dns::kIn;
        if (is_in && out.type == dns::kA) return length == 4;
        if (is_in && out.type == dns::kAaaa) return length == 16;
        const dns::RdataLayout layout = dns::rdata_layout(out.type);
        if (layout.rule == dns::NameRule::none) return true;
        const std::size_t begin = at_;
        const std::size_t end = at_ + length;
        if (!skip_to_names(layout, end)) return false;
        out.before = at_ - begin;
        for (unsigned i = 0; i < layout.names; ++i) {
            bool compressed = false;
            if (at_ >= end || !name(out.names.emplace_back(), &compressed)) return false;
            const bool may_be = layout.rule != dns::NameRule::whole || out.type == dns::kNsec;
            if (compressed && !may_be) return false;
        }
        if (at_ > end) return false;
        out.after = end - at_;
        return layout.rest < 0 || out.after == static_cast<std::size_t>(layout.rest);
    }

    bool skip_to_names(const dns::RdataLayout& layout, std::size_t end) {
        at_ += layout.fixed;
        for (unsigned i = 0; i < layout.strings; ++i) {
            if (at_ >= end) return false;
            at_ += 1U + packet_[at_];
        }
        return at_ < end;
    }

    std::span<const std::uint8_t> packet_;
    std::size_t at_ = dns::kHeaderSize;
    std::size_t labels_ = 0;
    dns::NameStarts starts_;
};

}  // namespace

std::string key_of(const dns::Name& name) {
    std::string key(name.length, '\0');
    dns::lower_case(name.wire.data(), reinterpret_cast<std::uint8_t*>(key.data()), name.length);
    return key;
}

std::size_t Message::count(Section section) const {
    return static_cast<std::size_t>(
        std::count_if(records.begin(), records.end(),
                      [section](const Record& r) { return r.section == section; }));
}

std::optional<Message> read_message(std::span<const std::uint8_t> packet) {
    if (packet.size() < dns::kHeaderSize || packet.size() > kMaxMessageBytes) return std::nullopt;
    Message message;
    message.id = dns::load_be16(packet.data());
    message.flags = dns::load_be16(&packet[2]);
    if ((message.flags & (dns::kOpcodeMask | dns::kRcodeMask)) != 0) return std::nullopt;
    PacketReader reader(packet);
    for (unsigned n = dns::load_be16(&packet[4]); n > 0; --n) {
        if (!reader.question(message.questions.emplace_back())) return std::nullopt;
    }
    for (const Section section : {Section::answer, Section::authority, Section::additional}) {
        const std::size_t count_at = 6 + 2 * static_cast<std::size_t>(section);
        for (unsigned n = dns::load_be16(&packet[count_at]); n > 0; --n) {
            Record& record = message.records.emplace_back();
            record.section = section;
            if (!reader.record(record)) return std::nullopt;
        }
    }
    if (!reader.is_at_end()) return std::nullopt;
    return message;
}

}  // namespace steer::mdns
