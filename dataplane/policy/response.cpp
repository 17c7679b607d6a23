#include "dataplane/policy/executor.h"

#include <cstring>

namespace steer {

void Response::set_empty(std::uint8_t rcode, std::optional<dns::Ede> ede) noexcept {
    clear();
    empty_ = dns::empty_answer(rcode);
    answer_ = &empty_;
    born_s_ = UINT32_MAX;  // just now, whenever that is
    has_ede_ = ede.has_value();
    if (ede) ede_ = *ede;
}

void Response::set_buffer(Buffer* buffer) noexcept {
    clear();
    buffer_ = buffer;
    answer_ = &buffer->answer();
    born_s_ = static_cast<std::uint32_t>(buffer->born_ms / 1000);
}

Buffer* Response::in_buffer(BufferPools& pools, Now now) const noexcept {
    if (buffer_ != nullptr) {
        hold(buffer_);
        return buffer_;
    }
    const std::size_t size = answer_->size();
    Buffer* const copy = pools.take(static_cast<std::uint32_t>(size));
    if (copy == nullptr) return nullptr;
    std::memcpy(copy->data(), answer_, size);
    copy->length = static_cast<std::uint32_t>(size);
    copy->serial = 0;
    copy->born_ms = born_s_ == UINT32_MAX ? now.ms : std::uint64_t{born_s_} * 1000;
    return copy;
}

}  // namespace steer
