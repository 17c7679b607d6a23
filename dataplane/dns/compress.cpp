#include "dataplane/dns/compress.h"

namespace steer::dns {

BodyWriter::BodyWriter(std::span<const std::uint8_t> qname, std::span<std::uint8_t> room) noexcept
    : qname_(qname), room_(room), base_(kHeaderSize + qname.size() + kTypeAndClass) {
    for (std::size_t i = 0; i + 1 < qname.size(); i += 1U + qname[i])
        remember(kHeaderSize + i, qname.size() - i);
}

bool BodyWriter::bytes(std::span<const std::uint8_t> raw) noexcept {
    if (raw.size() > room_.size() - size_) return false;
    if (!raw.empty()) std::memcpy(room_.data() + size_, raw.data(), raw.size());
    size_ += raw.size();
    return true;
}

bool BodyWriter::name(const Name& name, bool compress) noexcept {
    std::span<const std::uint8_t> rest = name.bytes();
    while (rest.size() > 1) {
        if (compress) {
            if (const std::size_t earlier = find(rest); earlier != 0) {
                std::uint8_t pointer[2];
                store_be16(pointer, static_cast<std::uint16_t>(0xc000U | earlier));
                return bytes(pointer);
            }
        }
        const std::size_t offset = base_ + size_;
        const std::size_t label = 1U + rest[0];
        if (!bytes(rest.first(label))) return false;
        remember(offset, rest.size());
        rest = rest.subspan(label);
    }
    return bytes(rest);
}

std::uint8_t BodyWriter::at(std::size_t offset) const noexcept {
    return offset < base_ ? qname_[offset - kHeaderSize] : room_[offset - base_];
}

bool BodyWriter::is_at(std::size_t offset, std::span<const std::uint8_t> name) const noexcept {
    for (std::size_t i = 0; i < name.size();) {
        std::uint8_t label = at(offset);
        while (label >= 0xc0) {
            offset = (label & 0x3fU) << 8 | at(offset + 1);
            label = at(offset);
        }
        if (label != name[i]) return false;
        for (std::size_t k = 1; k <= label; ++k) {
            if (at(offset + k) != name[i + k]) return false;
        }
        i += 1U + label;
        offset += 1U + label;
    }
    return true;
}

std::size_t BodyWriter::find(std::span<const std::uint8_t> name) const noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        if (written_[i].length == name.size() && is_at(written_[i].offset, name))
            return written_[i].offset;
    }
    return 0;
}

void BodyWriter::remember(std::size_t offset, std::size_t length) noexcept {
    if (count_ == kRemembered || offset >= kPointerReach) return;
    written_[count_++] = {static_cast<std::uint16_t>(offset), static_cast<std::uint16_t>(length)};
}

}  // namespace steer::dns
