#include "control/mdns/message_writer.h"

#include <utility>

#include "dataplane/dns/rdata.h"

namespace steer::mdns {
namespace {

constexpr std::size_t kPointerReach = 0x4000;

std::size_t place(Section section) {
    return 1 + static_cast<std::size_t>(section);
}

bool compresses(std::uint16_t type, Reader reader) {
    if (dns::rdata_layout(type).rule == dns::NameRule::compress) return true;
    return reader == Reader::multicast && (type == dns::kSrv || type == dns::kNsec);
}

}  // namespace

MessageWriter::MessageWriter(std::uint16_t id, std::uint16_t flags, Reader reader)
    : reader_(reader), bytes_(dns::kHeaderSize) {
    dns::store_be16(bytes_.data(), id);
    dns::store_be16(&bytes_[2], flags);
}

void MessageWriter::put(std::span<const std::uint8_t> raw) {
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
}

void MessageWriter::put16(std::uint16_t value) {
    bytes_.resize(bytes_.size() + 2);
    dns::store_be16(&bytes_[bytes_.size() - 2], value);
}

void MessageWriter::name(const dns::Name& name, bool compress) {
    std::span<const std::uint8_t> rest = name.bytes();
    while (rest.size() > 1) {
        const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
        const auto [known, is_new] = written_.try_emplace(std::string(text), bytes_.size());
        if (!is_new && compress) return put16(static_cast<std::uint16_t>(0xc000U | known->second));
        if (is_new && bytes_.size() >= kPointerReach) written_.erase(known);
        const std::size_t label = 1U + rest[0];
        put(rest.first(label));
        rest = rest.subspan(label);
    }
    put(rest);
}

void MessageWriter::question(const dns::Name& asked, std::uint16_t type, std::uint16_t klass) {
    name(asked, true);
    put16(type);
    put16(klass);
    ++counts_[0];
}

void MessageWriter::record(const Record& record) {
    this->record(record.section, record, record.klass, record.ttl_s);
}

void MessageWriter::record(Section section, const Record& record, std::uint16_t klass,
                           std::uint32_t ttl_s) {
    name(record.owner, true);
    put16(record.type);
    put16(klass);
    put16(static_cast<std::uint16_t>(ttl_s >> 16));
    put16(static_cast<std::uint16_t>(ttl_s));
    const std::size_t length_at = bytes_.size();
    put16(0);
    if (record.names.empty()) {
        put(record.rdata);
    } else {
        put(record.rdata.first(record.before));
        for (const dns::Name& n : record.names)
            name(n, compresses(record.type, reader_));
        put(record.rdata.last(record.after));
    }
    dns::store_be16(&bytes_[length_at], static_cast<std::uint16_t>(bytes_.size() - length_at - 2));
    ++counts_[place(section)];
}

void MessageWriter::undo_record(Section section, std::size_t bytes) {
    bytes_.resize(bytes);
    --counts_[place(section)];
    std::erase_if(written_, [bytes](const auto& known) { return known.second >= bytes; });
}

std::vector<std::uint8_t> MessageWriter::take() {
    for (std::size_t i = 0; i < counts_.size(); ++i)
        dns::store_be16(&bytes_[4 + 2 * i], counts_[i]);
    return std::move(bytes_);
}

}  // namespace steer::mdns
