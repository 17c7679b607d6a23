#include "matchers/list/wire_fields.h"

namespace steer::matchers {
namespace {

enum WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

}  // namespace

std::optional<std::uint64_t> WireFields::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) return value;
    }
    damaged_ = true;
    return std::nullopt;
}

bool WireFields::skip(std::size_t size) {
    damaged_ = damaged_ || size > rest_.size();
    if (!damaged_) rest_.remove_prefix(size);
    return !damaged_;
}

std::optional<WireField> WireFields::next() {
    while (!rest_.empty() && !damaged_) {
        const auto key = varint();
        if (!key) break;
        WireField field;
        field.tag = static_cast<std::uint32_t>(*key >> 3);
        damaged_ = *key >> 3 == 0 || *key >> 32 != 0;
        if (damaged_) break;
        switch (*key & 7) {
            case kVarint:
                if (const auto value = varint()) {
                    field.number = *value;
                    return field;
                }
                break;
            case kBytes: {
                const auto size = varint();
                if (!size) break;
                field.bytes = rest_.substr(0, *size);
                field.is_bytes = true;
                if (skip(*size)) return field;
                break;
            }
            case kFixed64:
                skip(8);
                break;
            case kFixed32:
                skip(4);
                break;
            default:
                damaged_ = true;
        }
    }
    return std::nullopt;
}

}  // namespace steer::matchers
