#include "dataplane/dns/answer_writer.h"

#include <array>
#include <cstring>

#include "dataplane/dns/body_names.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/hints.h"
#include "dataplane/dns/rdata.h"

namespace steer::dns {
namespace {

bool is_hinting(std::uint16_t type) {
    return type == kSvcb || type == kHttps;
}

}  // namespace

bool AnswerWriter::begin(const Answer& head) noexcept {
    out_ = head;
    out_.body_len = 0;
    const std::size_t tables = out_.size();
    if (tables > block_.size()) return false;
    const std::size_t base = kHeaderSize + name_.size() + kTypeAndClass;
    room_ = block_.subspan(tables);
    room_ = room_.first(std::min(room_.size(), kMaxMessage - base));
    ttl_at_ = reinterpret_cast<std::uint16_t*>(block_.data() + sizeof(Answer));
    address_at_ = reinterpret_cast<AddressRef*>(ttl_at_ + out_.ttl_count);
    writer_.emplace(name_, room_);
    return true;
}

bool AnswerWriter::read(unsigned record, std::size_t at, BodyRecord& out) const noexcept {
    const std::span<const std::uint8_t> body{from_.body(), from_.body_len};
    const std::size_t fixed = from_.ttl_offsets()[record] - std::size_t{4};
    out.rdata = fixed + kRecordFixed;
    const std::size_t behind_owner = BodyNames(body, asked_).read(at, out.owner);
    if (behind_owner == 0 || behind_owner != fixed || out.rdata > body.size()) return false;
    out.end = out.rdata + load_be16(&body[out.rdata - 2]);
    if (out.end > body.size()) return false;
    out.type = load_be16(&body[fixed]);
    out.klass = load_be16(&body[fixed + 2]);
    const std::uint32_t ttl_s = load_be32(&body[fixed + 4]);
    out.ttl_s = ttl_s > age_s_ ? ttl_s - age_s_ : 0;
    return true;
}

bool AnswerWriter::put_head(const Name& owner, std::uint16_t type, std::uint16_t klass,
                            std::uint32_t ttl_s) noexcept {
    if (records_ == out_.ttl_count || !writer_->name(owner, true)) return false;
    ttl_at_[records_++] = static_cast<std::uint16_t>(writer_->size() + 4);
    least_ttl_s_ = std::min(least_ttl_s_, ttl_s);
    std::array<std::uint8_t, kRecordFixed> head{};
    store_be16(head.data(), type);
    store_be16(&head[2], klass);
    store_be32(&head[4], ttl_s);
    return writer_->bytes(head);
}

void AnswerWriter::end_rdata(std::size_t rdata) noexcept {
    store_be16(&room_[rdata - 2], static_cast<std::uint16_t>(writer_->size() - rdata));
}

// Of a record of the answer section that was just begun.
void AnswerWriter::note_address(std::uint16_t type, std::uint16_t klass,
                                std::size_t rdata) noexcept {
    if (klass != kIn || (type != kA && type != kAaaa) || records_ > out_.ancount) return;
    if (addresses_ == out_.address_count) {
        too_many_addresses_ = true;
        return;
    }
    address_at_[addresses_++] = {static_cast<std::uint16_t>(rdata), type == kAaaa};
}

bool AnswerWriter::copy(const BodyRecord& record) noexcept {
    if (!put_head(record.owner, record.type, record.klass, record.ttl_s)) return false;
    const std::size_t rdata = writer_->size();
    note_address(record.type, record.klass, rdata);
    const bool is_address = record.klass == kIn && (record.type == kA || record.type == kAaaa);
    const bool hints = record.klass == kIn && is_hinting(record.type) &&
                       (out_.has_hints || records_ > out_.ancount) &&
                       hints_of(data_of(record)).any();
    if (is_address || hints) note_ttl_of_address(record.ttl_s);
    if (!copy_rdata(record)) return false;
    end_rdata(rdata);
    return true;
}

bool AnswerWriter::copy_rdata(const BodyRecord& record) noexcept {
    const std::span<const std::uint8_t> body{from_.body(), from_.body_len};
    const RdataLayout layout = rdata_layout(record.type);
    if (layout.rule == NameRule::none || layout.rule == NameRule::whole)
        return writer_->bytes(data_of(record));
    std::size_t at = record.rdata + layout.fixed;
    for (unsigned s = 0; s < layout.strings && at < record.end; ++s)
        at += body[at] + 1U;
    if (at > record.end || !writer_->bytes(body.subspan(record.rdata, at - record.rdata)))
        return false;
    const BodyNames names(body, asked_);
    for (unsigned n = 0; n < layout.names; ++n) {
        Name name;
        at = names.read(at, name);
        if (at == 0 || at > record.end || !writer_->name(name, layout.rule == NameRule::compress))
            return false;
    }
    return writer_->bytes(body.subspan(at, record.end - at));
}

bool AnswerWriter::put(const Name& owner, std::uint16_t type, std::uint32_t ttl_s,
                       std::span<const std::uint8_t> rdata, bool is_address) noexcept {
    if (!put_head(owner, type, kIn, ttl_s)) return false;
    const std::size_t at = writer_->size();
    note_address(type, kIn, at);
    if (is_address) note_ttl_of_address(ttl_s);
    if (!writer_->bytes(rdata)) return false;
    end_rdata(at);
    return true;
}

bool AnswerWriter::put_cname(std::uint32_t ttl_s) noexcept {
    Name alias, target;
    set_name(alias, name_);
    set_name(target, asked_);
    if (!put_head(alias, kCname, kIn, ttl_s)) return false;
    const std::size_t rdata = writer_->size();
    if (!writer_->name(target, true)) return false;
    end_rdata(rdata);
    return true;
}

std::size_t AnswerWriter::finish() noexcept {
    if (records_ != out_.ttl_count || addresses_ != out_.address_count || too_many_addresses_)
        return 0;
    const std::size_t length = writer_->size();
    out_.body_len = static_cast<std::uint16_t>(length);
    out_.min_ttl_s = records_ == 0 ? 0 : least_ttl_s_;
    out_.address_ttl_s = address_ttl_s_;
    out_.has_additional = has_additional_;
    out_.body_sum = checksum_fold(checksum_add(0, room_.data(), length));
    std::memcpy(block_.data(), &out_, sizeof out_);
    return out_.size();
}

}  // namespace steer::dns
