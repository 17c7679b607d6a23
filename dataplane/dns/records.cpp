#include "dataplane/dns/records.h"

namespace steer::dns {

bool RecordReader::next(Record& out) noexcept {
    out.start = at_;
    out.fixed = name(at_, nullptr);
    if (out.fixed == 0 || out.fixed + kRecordFixed > message_.size()) return false;
    const std::uint8_t* fixed = &message_[out.fixed];
    out.root_owner = message_[at_] == 0;
    out.type = load_be16(fixed);
    out.klass = load_be16(fixed + 2);
    out.ttl_s = load_be32(fixed + 4);
    if ((out.ttl_s & 0x80000000U) != 0) out.ttl_s = 0;
    out.rdata = out.fixed + kRecordFixed;
    out.end = out.rdata + load_be16(fixed + 8);
    if (out.end > message_.size() || !check_rdata(out)) return false;
    at_ = out.end;
    return true;
}

std::size_t RecordReader::rdata_names(const Record& record,
                                      const RdataLayout& layout) const noexcept {
    std::size_t at = record.rdata + layout.fixed;
    for (unsigned i = 0; i < layout.strings; ++i) {
        if (at >= record.end) return 0;
        at += 1U + message_[at];
    }
    return at < record.end ? at : 0;
}

bool RecordReader::check_rdata(const Record& record) noexcept {
    const std::size_t length = record.end - record.rdata;
    if (record.klass == kIn && record.type == kA) return length == 4;
    if (record.klass == kIn && record.type == kAaaa) return length == 16;
    const RdataLayout layout = rdata_layout(record.type);
    if (layout.rule == NameRule::none) {
        // May hold names that we do not recognise, and later names may point to those.
        if (record.type != kOpt) starts_.allow(record.rdata, record.end);
        return true;
    }
    std::size_t at = rdata_names(record, layout);
    for (unsigned i = 0; i < layout.names; ++i) {
        bool compressed = false;
        if (at == 0 || at >= record.end) return false;
        at = name(at, nullptr, &compressed);
        if (compressed && layout.rule == NameRule::whole) return false;
    }
    if (at == 0 || at > record.end) return false;
    return layout.rest < 0 || record.end - at == static_cast<std::size_t>(layout.rest);
}

AnswerSection::AnswerSection(std::span<const std::uint8_t> response) noexcept
    : message_(response), records_(response, 0) {
    if (response.size() < kHeaderSize) return;
    left_ = load_be16(&response[6]);
    if (load_be16(&response[4]) != 1) return;
    const std::size_t behind_name = RecordReader(response, 0).name(kHeaderSize, nullptr);
    if (behind_name == 0) return;
    records_ = RecordReader(response, behind_name + 4);  // type and class
    is_readable_ = records_.name(kHeaderSize, nullptr) != 0;
    anywhere_.allow(kHeaderSize, response.size());
}

bool AnswerSection::next(Record& out) noexcept {
    if (!is_readable_ || left_ == 0 || !records_.next(out)) return false;
    --left_;
    return true;
}

}  // namespace steer::dns
