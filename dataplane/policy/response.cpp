#include "dataplane/policy/executor.h"

#include <cstring>

namespace steer {

void Response::clear() noexcept {
    if (buffer_ != nullptr) release(buffer_);
    buffer_ = nullptr;
    entry_ = nullptr;
    answer_ = nullptr;
    ede_.reset();
    born_s_ = 0;
}

void Response::set_empty(std::uint8_t rcode, std::optional<dns::Ede> ede) noexcept {
    clear();
    empty_ = dns::empty_answer(rcode);
    answer_ = &empty_;
    ede_ = ede;
}

void Response::set_entry(const cache::Entry* entry) noexcept {
    clear();
    entry_ = entry;
    answer_ = &entry->answer();
    born_s_ = entry->inserted_s;
}

void Response::set_buffer(Buffer* buffer) noexcept {
    clear();
    buffer_ = buffer;
    answer_ = &buffer->answer();
    born_s_ = static_cast<std::uint32_t>(buffer->born_ms / 1000);
}

std::uint32_t Response::age_s(Now now) const noexcept {
    return born_s_ == 0 || now.s() < born_s_ ? 0 : now.s() - born_s_;
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
    copy->born_ms = born_s_ == 0 ? now.ms : std::uint64_t{born_s_} * 1000;
    return copy;
}

}  // namespace steer
