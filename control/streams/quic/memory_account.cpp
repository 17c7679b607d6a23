#include "control/streams/quic/memory_account.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace steer::quic {
namespace {

// What the heap uses for a block.
std::size_t cost_of(void* block) {
    constexpr std::size_t kHead = sizeof(std::size_t);
    return ::malloc_usable_size(block) + kHead;
}

Account& account_of(void* account) {
    return *static_cast<Account*>(account);
}

// Charges a new block; nullptr: there is no room for it.
void* charged(void* block, void* account) {
    if (block == nullptr || account_of(account).take(cost_of(block))) return block;
    std::free(block);
    return nullptr;
}

}  // namespace

bool ProcessMemory::take(std::uint64_t bytes) {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    while (used <= most_ && bytes <= most_ - used) {
        if (used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) return true;
    }
    return false;
}

bool ThreadMemory::grow(std::uint64_t bytes) {
    const std::uint64_t least = bytes - (granted_ - used_);
    const std::uint64_t rounded = (least + kStep - 1) / kStep * kStep;
    for (const std::uint64_t more : {rounded, least}) {
        if (!process_->take(more)) continue;
        granted_ += more;
        return true;
    }
    return false;
}

void ThreadMemory::add(std::uint64_t bytes) {
    used_ += bytes;
    if (used_ <= granted_) return;
    process_->add(used_ - granted_);
    granted_ = used_;
}

void ThreadMemory::shrink() {
    const std::uint64_t less = (granted_ - used_ - kStep) / kStep * kStep;
    granted_ -= less;
    process_->give(less);
}

void Account::charge(std::size_t bytes) {
    if (take(bytes)) return;
    thread_.add(bytes);
    bytes_ += bytes;
}

// ---- hooks

void* hook_malloc(std::size_t bytes, void* account) {
    return charged(std::malloc(bytes), account);
}

void hook_free(void* block, void* account) {
    if (block == nullptr) return;
    account_of(account).give(cost_of(block));
    std::free(block);
}

void* hook_calloc(std::size_t count, std::size_t each, void* account) {
    return charged(std::calloc(count, each), account);
}

void* hook_realloc(void* block, std::size_t bytes, void* account) {
    void* const made = hook_malloc(bytes, account);
    if (made == nullptr || block == nullptr) return made;
    std::memcpy(made, block, std::min(bytes, ::malloc_usable_size(block)));
    hook_free(block, account);
    return made;
}

}  // namespace steer::quic
