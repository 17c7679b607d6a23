#include "control/sources/transfer/transfer_reader.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "control/sources/transfer/wire_bytes.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/records.h"
#include "dataplane/dns/wire.h"

namespace steer::transfer {
namespace {

constexpr std::size_t kFixedSoa = 5 * 4;

// Types whose names are compared in lower case (RFC 4034 6.2, RFC 6840 5.1).
bool has_lower_names(const dns::RdataLayout& layout, std::uint16_t type) {
    using enum dns::NameRule;
    return layout.rule == compress || layout.rule == decompress || type == dns::kRrsig;
}

// RDATA in canonical form, behind a check by the reader.
bool read_rdata(dns::RecordReader& reader, ByteSpan message, const dns::Record& record,
                Bytes& out) {
    out.clear();
    const dns::RdataLayout layout = dns::rdata_layout(record.type);
    const ByteSpan rdata = message.subspan(record.rdata, record.end - record.rdata);
    if (layout.rule == dns::NameRule::none) {
        out.assign(rdata.begin(), rdata.end());
        return true;
    }
    std::size_t at = reader.rdata_names(record, layout);
    if (at == 0) return false;
    const ByteSpan front = message.subspan(record.rdata, at - record.rdata);
    out.assign(front.begin(), front.end());
    for (unsigned i = 0; i < layout.names; ++i) {
        dns::Name name;
        at = reader.name(at, &name);
        if (at == 0 || at > record.end) return false;
        const std::size_t start = out.size();
        out.insert(out.end(), name.bytes().begin(), name.bytes().end());
        if (has_lower_names(layout, record.type)) lower_name(std::span(out).subspan(start));
    }
    const ByteSpan rest = message.subspan(at, record.end - at);
    out.insert(out.end(), rest.begin(), rest.end());
    return out.size() <= dns::kMaxMessage;
}

}  // namespace

Bytes transfer_query(AskFor what, ByteSpan zone, std::uint16_t id, ByteSpan have) {
    Bytes out;
    put16(out, id);
    put16(out, 0);
    put16(out, 1);
    put16(out, 0);
    put16(out, what == AskFor::ixfr ? 1 : 0);
    put16(out, 0);
    out.insert(out.end(), zone.begin(), zone.end());
    put16(out, what == AskFor::soa ? dns::kSoa : what == AskFor::ixfr ? dns::kIxfr : dns::kAxfr);
    put16(out, dns::kIn);
    if (what != AskFor::ixfr) return out;
    put16(out, 0xc000 | dns::kHeaderSize);
    put16(out, dns::kSoa);
    put16(out, dns::kIn);
    put16(out, 0);
    put16(out, 0);
    put16(out, static_cast<std::uint16_t>(have.size()));
    out.insert(out.end(), have.begin(), have.end());
    return out;
}

Result<std::uint8_t> response_code(ByteSpan message, std::uint16_t id) {
    if (message.size() < dns::kHeaderSize) return Error{"a message without a header"};
    const unsigned flags = dns::load_be16(&message[2]);
    if (dns::load_be16(message.data()) != id) return Error{"a message with another id"};
    if ((flags & dns::kQr) == 0 || (flags & dns::kOpcodeMask) != 0)
        return Error{"a message that is no response to a query"};
    if ((flags & dns::kTc) != 0) return Error{"a truncated message"};
    return static_cast<std::uint8_t>(flags & dns::kRcodeMask);
}

Result<void> read_records(
    ByteSpan message, const std::function<Result<void>(Bytes&, ZoneRecord, std::uint16_t)>& visit) {
    const Error malformed{"a malformed message"};
    const unsigned questions = dns::load_be16(&message[4]);
    std::size_t at = dns::kHeaderSize;
    dns::RecordReader reader(message, at);
    if (questions > 1) return malformed;
    if (questions == 1) {
        at = reader.name(at, nullptr);
        if (at == 0 || at + dns::kTypeAndClass > message.size()) return malformed;
        at += dns::kTypeAndClass;
        reader = dns::RecordReader(message, at);
        if (reader.name(dns::kHeaderSize, nullptr) == 0) return malformed;
    }
    Bytes owner, rdata;
    for (unsigned left = dns::load_be16(&message[6]); left > 0; --left) {
        dns::Record record;
        dns::Name name;
        if (!reader.next(record) || reader.name(record.start, &name) == 0 ||
            !read_rdata(reader, message, record, rdata))
            return malformed;
        owner.assign(name.bytes().begin(), name.bytes().end());
        lower_name(owner);
        if (auto taken = visit(owner, {record.type, record.ttl_s, rdata}, record.klass); !taken)
            return taken;
    }
    return {};
}

Result<TransferReader::State> TransferReader::take(ByteSpan message) {
    bytes_ += message.size();
    if (bytes_ > limits_.bytes) {
        is_too_large_ = true;
        return Error{"it is larger than max_size (" + std::to_string(limits_.bytes) + " bytes)"};
    }
    if (is_complete_) return Error{"a message behind the end of the transfer"};
    auto read = read_records(
        message,
        [this](Bytes& owner, const ZoneRecord& record, std::uint16_t klass) -> Result<void> {
            return take_record(owner, record, klass);
        });
    if (!read) return read.error();
    // One SOA alone: nothing is newer (RFC 1995 4), or the server sends the rest in further
    // messages.
    if (!is_complete_ && kind_ == Kind::none && taken_ == 1 && have_ &&
        !is_newer_serial(serial_, *have_)) {
        kind_ = Kind::unchanged;
        is_complete_ = true;
    }
    return is_complete_ ? State::complete : State::more;
}

Result<void> TransferReader::check_limits() {
    is_too_large_ = taken_ > limits_.records || whole_.bytes() + difference_bytes_ > limits_.bytes;
    if (!is_too_large_) return {};
    if (taken_ > limits_.records)
        return Error{"it has more than max_records (" + std::to_string(limits_.records) +
                     ") records"};
    return Error{"the zone is larger than max_size (" + std::to_string(limits_.bytes) + " bytes)"};
}

Result<void> TransferReader::take_record(Bytes& owner, const ZoneRecord& record,
                                         std::uint16_t klass) {
    if (is_complete_) return Error{"records behind the zone's end"};
    ++taken_;
    if (auto good = check_limits(); !good) return good;
    const bool is_soa = record.type == dns::kSoa && klass == dns::kIn && owner == zone_;
    if (taken_ == 1) {
        if (!is_soa) return Error{"it does not begin with the zone's SOA"};
        return take_first(record);
    }
    if (taken_ == 2 && have_ && !is_newer_serial(serial_, *have_))
        return Error{"it has more than a SOA, though its serial " + std::to_string(serial_) +
                     " is not newer"};
    if (is_soa) return take_soa(owner, record);
    if (kind_ == Kind::none) {
        kind_ = Kind::whole;
        whole_.add(zone_, {dns::kSoa, first_ttl_s_, first_soa_});
    }
    if (kind_ == Kind::differences && differences_.empty())
        return Error{"differences that do not begin with a SOA"};
    if (klass != dns::kIn || !is_in_zone(owner, zone_) || record.type == dns::kOpt ||
        record.type == dns::kTsig) {
        ++left_out_;
        return {};
    }
    put(owner, record);
    return {};
}

Result<void> TransferReader::take_first(const ZoneRecord& record) {
    const auto soa = soa_of(record.rdata);
    if (!soa || record.rdata.size() < kFixedSoa) return Error{"its SOA is malformed"};
    first_soa_.assign(record.rdata.begin(), record.rdata.end());
    first_ttl_s_ = record.ttl_s;
    serial_ = soa->serial;
    if (newer_than_ && !is_newer_serial(serial_, *newer_than_))
        return Error{"its serial " + std::to_string(serial_) + " is not newer than " +
                     std::to_string(*newer_than_) + " here"};
    return {};
}

void TransferReader::put(const Bytes& owner, const ZoneRecord& record) {
    if (kind_ == Kind::whole) {
        whole_.add(owner, record);
        return;
    }
    ZoneDifference& now = differences_.back();
    difference_bytes_ += sizeof(ZoneDifference::Change) + owner.size() + record.rdata.size();
    auto& changes = is_adding_ ? now.added : now.removed;
    changes.push_back(
        {owner, record.type, record.ttl_s, Bytes(record.rdata.begin(), record.rdata.end())});
}

Result<void> TransferReader::take_soa(Bytes& owner, const ZoneRecord& record) {
    const auto soa = soa_of(record.rdata);
    if (!soa) return Error{"its SOA is malformed"};
    if (kind_ == Kind::none && have_ && soa->serial != serial_) kind_ = Kind::differences;
    if (kind_ == Kind::differences) return take_difference_soa(owner, record, soa->serial);
    if (soa->serial != serial_) return Error{"it ends with another SOA than it began with"};
    if (kind_ == Kind::none) {  // a zone with only its SOA
        kind_ = Kind::whole;
        whole_.add(zone_, {dns::kSoa, first_ttl_s_, first_soa_});
    }
    is_complete_ = true;
    return {};
}

Result<void> TransferReader::take_difference_soa(const Bytes& owner, const ZoneRecord& record,
                                                 std::uint32_t serial) {
    if (differences_.empty() || is_adding_) {
        const std::uint32_t now = differences_.empty() ? *have_ : differences_.back().to;
        if (!differences_.empty() && now == serial_) {
            if (serial != serial_) return Error{"its differences end with another serial"};
            is_complete_ = true;
            return {};
        }
        if (serial != now)
            return Error{"its differences begin at serial " + std::to_string(serial) +
                         ", and the zone here has " + std::to_string(now)};
        differences_.emplace_back().from = serial;
        is_adding_ = false;
    } else {
        if (!is_newer_serial(serial, differences_.back().from))
            return Error{"a difference that leads to an older serial"};
        differences_.back().to = serial;
        is_adding_ = true;
    }
    put(owner, record);
    return {};
}

}  // namespace steer::transfer
