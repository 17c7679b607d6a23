#include "matchers/arena.h"

#include <sys/mman.h>

#include <new>

namespace steer::matchers {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::uintptr_t rounded_up(std::uintptr_t value, std::size_t unit) {
    return (value + unit - 1) / unit * unit;
}

}  // namespace

Arena::Arena(std::size_t bytes) {
    if (bytes == 0) return;
    // A large block starts on a huge page: the mapping before and behind it is released.
    const bool large = bytes >= kHugePage;
    const std::size_t mapped = large ? rounded_up(bytes, kHugePage) + kHugePage : bytes;
    void* const at =
        mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::uint8_t*>(at);
    size_ = bytes;
    if (!large) return;
    const auto start = reinterpret_cast<std::uintptr_t>(at);
    const std::size_t before = rounded_up(start, kHugePage) - start;
    const std::size_t kept = rounded_up(bytes, kHugePage);
    if (before > 0) munmap(data_, before);
    data_ += before;
    if (before + kept < mapped) munmap(data_ + kept, mapped - before - kept);
    size_ = bytes;
    madvise(data_, kept, MADV_HUGEPAGE);  // failure only makes the image slower
}

Arena::~Arena() {
    if (data_ == nullptr) return;
    munmap(data_, size_ >= kHugePage ? rounded_up(size_, kHugePage) : size_);
}

}  // namespace steer::matchers
